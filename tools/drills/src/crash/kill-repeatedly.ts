import { setTimeout as sleep } from 'node:timers/promises'
import { emulatorCommand, EmulatorProcess, type EmulatorProcessOptions } from '@acs-kit/local-stack/emulator-process'
import type { Random } from '@acs-kit/test-support/random'
import { ServerProcess } from '@acs-kit/test-support/server-process'

/** Responses before a kill. Counted in responses and not in time, so that a busy machine does as much. */
const maxResponses = 400
const maxKillDelayMs = 10
const maxStartMs = 250

export interface KillOptions {
  /** Options of an emulator that keeps its state in a folder. */
  readonly emulator: EmulatorProcessOptions
  readonly kills: number
  readonly random: Random
  /** Runs after each start. Throws if anything is lost. */
  readonly audit: (emulator: EmulatorProcess) => Promise<void>
  /** Calls `onResponse` for each response. Resolves when the connection is lost. */
  readonly load: (emulator: EmulatorProcess, onResponse: () => void) => Promise<unknown>
}

/** Kills an emulator again and again: under load at random moments, and sometimes during its start. Audits it after each restart. */
export async function killRepeatedly({ emulator: options, kills, random, audit, load }: KillOptions): Promise<void> {
  for (let done = 0; done < kills;) {
    if (random.next() < 0.2) {
      await using starting = ServerProcess.launch(emulatorCommand(options))
      await sleep(random.below(maxStartMs))
      await starting.kill()
      done++
    }
    await using emulator = await EmulatorProcess.start(options)
    await audit(emulator)
    let remaining = random.below(maxResponses)
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const running = load(emulator, () => {
      if (--remaining <= 0) resolve()
    })
    await Promise.race([running, enough])
    await sleep(random.below(maxKillDelayMs))
    if (!emulator.server.isRunning) throw new Error(`the emulator exited by itself: ${emulator.server.stderr}`)
    await emulator.kill()
    await running
    done++
  }
  await using emulator = await EmulatorProcess.start(options)
  await audit(emulator)
}
