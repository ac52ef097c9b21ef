import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { defaultResourceName, formatConnectionString, getWellKnownAccessKey } from '../access-key.ts'
import type { EmulatedResource } from '../emulated-resources.ts'
import { formatOrigin } from '../hostnames.ts'
import { startEmulator } from '../start-emulator.ts'
import { keyVariable, toEmulatorOptions, type EmulatorFlags } from './options.ts'
import { signals } from './process.ts'

/** Runs an emulator until a signal arrives. */
export async function start(flags: EmulatorFlags): Promise<void> {
  // Tokens are signed in libuv's pool. With more threads than cores, they would interrupt the thread that handles requests.
  process.env['UV_THREADPOOL_SIZE'] ??= String(Math.min(availableParallelism(), 4))
  await using emulator = await startEmulator(toEmulatorOptions(flags))
  const stop = Promise.race(signals.map((signal) => once(process, signal)))
  for (const resource of emulator.resources) {
    const { endpoint } = resource
    process.stdout.write(`communication-emulator ready at ${endpoint} (${formatAccess(resource, endpoint)})\n`)
    for (const hostname of flags.hostname ?? []) {
      const named = `${formatOrigin(hostname, Number(new URL(endpoint).port))}/`
      process.stdout.write(`for other machines: ${named} (${formatAccess(resource, named)})\n`)
    }
  }
  process.stdout.write(`page of the emulator: ${emulator.endpoint}_emulator/\n`)
  process.stdout.write(`certificate authority to trust: ${emulator.caPath}\n`)
  await stop
}

/** Well-known keys are public; other keys are not printed. */
function formatAccess({ name, accessKey }: EmulatedResource, endpoint: string): string {
  if (accessKey === getWellKnownAccessKey(name)) {
    return `connection string: ${formatConnectionString(endpoint, accessKey)}`
  }
  return name === defaultResourceName
    ? `access key: hidden; set by ${keyVariable} or regenerated. To return to the well-known key, delete the data folder`
    : 'access key: hidden'
}
