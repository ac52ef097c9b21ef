import { setTimeout as sleep } from 'node:timers/promises'
import { emulatorCommand, EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Random } from '@acs-kit/test-support/random'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { audit } from './audit.ts'
import { Ledger, type Slot } from './ledger.ts'
import { regenerateKey, regenerateKeys, Workload } from './workload.ts'

const clients = 8
const longestRunMs = 600
const longestStartMs = 250

export interface CrashReport {
  readonly kills: number
  readonly identities: number
  readonly deletions: number
  readonly tokens: number
  readonly revocations: number
  readonly regenerations: number
}

/**
 * Kills an emulator that keeps its state in a folder, under load and at random moments, now and then while it starts.
 * Throws when something that it had acknowledged is not so after a restart. Returns how much was at stake.
 */
export async function drillCrashes({ kills, seed }: { kills: number; seed: number }): Promise<CrashReport> {
  using folder = new TemporaryFolder()
  const options = { keyFolder: `${folder.path}/keys`, dataFolder: `${folder.path}/data` }
  const random = new Random(seed)
  let ledger: Ledger | undefined
  for (let done = 0; done < kills;) {
    if (random.next() < 0.2) {
      await using starting = ServerProcess.launch(emulatorCommand(options))
      await sleep(random.below(longestStartMs))
      await starting.kill()
      done++
    }
    await using emulator = await EmulatorProcess.start(options)
    ledger ??= new Ledger({ primary: emulator.accessKey!, secondary: await emulator.regenerateKey('secondary') })
    await settle(emulator, ledger)
    await killUnderLoad(emulator, ledger, random)
    done++
  }
  await using emulator = await EmulatorProcess.start(options)
  await settle(emulator, ledger!)
  return report(ledger!, kills)
}

/** Checks what is certain, then makes certain which keys are valid. */
async function settle(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  await audit(emulator, ledger)
  for (const slot of ['primary', 'secondary'] satisfies Slot[]) {
    if (ledger.keys[slot].isUnsure) await regenerateKey(emulator, ledger, slot)
  }
}

async function killUnderLoad(emulator: EmulatorProcess, ledger: Ledger, random: Random): Promise<void> {
  const load = Promise.all([
    ...Array.from({ length: clients }, () => new Workload(emulator, ledger, new Random(random.below(2 ** 31))).run()),
    regenerateKeys(emulator, ledger, () => sleep(random.below(longestRunMs))),
  ])
  await Promise.race([load, sleep(random.below(longestRunMs))])
  if (!emulator.server.isRunning) throw new Error(`the emulator died by itself: ${emulator.server.stderr}`)
  await emulator.kill()
  await load
}

function report({ identities, keys }: Ledger, kills: number): CrashReport {
  const tokens = identities.flatMap((identity) => identity.tokens)
  return {
    kills,
    identities: identities.length,
    deletions: identities.filter(({ state }) => state === 'deleted').length,
    tokens: tokens.length,
    revocations: tokens.filter(({ state }) => state === 'revoked').length,
    regenerations: keys.primary.generation + keys.secondary.generation,
  }
}
