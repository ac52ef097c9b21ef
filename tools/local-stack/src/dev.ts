// For development: the emulator, Azurite, the token service, which restarts when its sources change, and the demo, which
// follows its own. No Azure account.
import { once } from 'node:events'
import { watch } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { settings } from '@acs-kit/service-settings'
import { hintsOf } from './hints.ts'
import { findNamedResource } from './named-resource.ts'
import { portOptions, readPorts } from './ports.ts'
import { explain, runProgram } from './program.ts'
import { Stack } from './stack.ts'

const sources = [
  'apps/token-service',
  'packages/communication-identity',
  'packages/service-settings',
  'packages/token-contract',
].map((folder) => fileURLToPath(new URL(`../../../${folder}/src`, import.meta.url)))
/** Editors write in several steps. */
const settleMs = 100

async function main(signal: AbortSignal): Promise<void> {
  const stopped = once(signal, 'abort').then(() => 'stop' as const)
  const { values } = parseArgs({
    options: {
      ...portOptions,
      // Kept from one time to the next, so that users stay who they are.
      data: { type: 'string', default: fileURLToPath(new URL('../.data', import.meta.url)) },
    },
  })
  await using stack = await Stack.start({
    dataFolder: values.data,
    ports: readPorts(values),
    connectionString: await findNamedResource(),
    settings: { LOG_LEVEL: findLogLevel() },
    onLog: (text) => process.stdout.write(text),
  })
  process.stdout.write(`${hintsOf(stack)}\n`)
  const changes = new Changes()
  for (;;) {
    // A service that died waits for the change that mends it.
    const cause = await Promise.race([stopped, changes.next()])
    if (cause === 'stop') return
    await sleep(settleMs)
    changes.forget()
    await stack.restartService().catch((error: unknown) => process.stderr.write(`${explain(error)}\n`))
  }
}

/** That of the environment, where it is one of the service's: other programs know other levels under this name. */
function findLogLevel(): string | undefined {
  const level = process.env['LOG_LEVEL']?.trim()
  if (!level) return undefined
  try {
    return settings.LOG_LEVEL.parse(level)
  } catch (error) {
    process.stderr.write(`acs-kit: LOG_LEVEL ignored: it ${(error as Error).message}\n`)
    return undefined
  }
}

/** Of the sources; those during a restart count for the next. */
class Changes {
  #changed = Promise.withResolvers<void>()

  constructor() {
    for (const folder of sources) {
      watch(folder, { recursive: true, persistent: false }, () => this.#changed.resolve())
    }
  }

  next(): Promise<void> {
    return this.#changed.promise
  }

  forget(): void {
    this.#changed = Promise.withResolvers()
  }
}

await runProgram(main)
