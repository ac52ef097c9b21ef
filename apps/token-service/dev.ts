// For development: the emulator, Azurite and the service, which restarts when its sources change. No Azure account.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startEmulator, wellKnownPort } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'

const { values } = parseArgs({
  options: {
    // Kept from one time to the next, so that users stay who they are.
    data: { type: 'string', default: join(import.meta.dirname, '.data') },
    port: { type: 'string', default: '8080' },
    'emulator-port': { type: 'string', default: String(wellKnownPort) },
  },
})
const sources = ['src', ...['communication-identity', 'service-settings', 'token-contract'].map(packageSource)]
/** Editors write in several steps. */
const settleMs = 100

const stop = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal))).then(() => 'stop')
mkdirSync(join(values.data, 'azurite'), { recursive: true })
await using emulator = await startEmulator({
  port: Number(values['emulator-port']),
  dataFolder: join(values.data, 'emulator'),
  trust: false,
})
await using azurite = await Azurite.start({ dataFolder: join(values.data, 'azurite') })

process.stdout.write(`token service (over emulated Azure): http://127.0.0.1:${values.port}, its API at /reference
a sign-in token:                     TOKEN=$(pnpm --silent emulator sign-in alice)
a communication access token:        curl -X POST -H "Authorization: Bearer $TOKEN" http://127.0.0.1:${values.port}/v1/token
`)
for (;;) {
  const changed = nextChange()
  const service = startService()
  const exited = once(service, 'exit')
  const cause = await Promise.race([stop, changed, exited.then(() => Promise.race([stop, changed]))])
  service.kill('SIGTERM')
  if (service.exitCode === null && service.signalCode === null) await exited
  if (cause === 'stop') break
}

function startService() {
  const issuer = emulator.entra.issuer
  const signIn = { issuer, audience: 'api://acs-kit', kind: 'entra', required: 'access_as_user', admin: 'admin' }
  const resource = emulator.resources[0]!
  const endWithThis = ['--import', import.meta.resolve('@acs-kit/test-support/end-with-starter')]
  return spawn(process.execPath, [...endWithThis, join(import.meta.dirname, 'src/server.ts')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: values.port,
      REFERENCE_PAGE: 'true',
      SIGN_IN_ISSUERS: JSON.stringify([signIn]),
      COMMUNICATION_SERVICES_CONNECTION_STRING: resource.connectionString,
      COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: resource.secondaryConnectionString,
      IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
      NODE_EXTRA_CA_CERTS: emulator.caPath,
    },
  })
}

async function nextChange(): Promise<string> {
  const options = { recursive: true, persistent: false }
  const watchers = sources.map((folder) => watch(join(import.meta.dirname, folder), options))
  await Promise.race(watchers.map((watcher) => once(watcher, 'change')))
  for (const watcher of watchers) watcher.close()
  await sleep(settleMs)
  return 'change'
}

function packageSource(name: string): string {
  return join('../../packages', name, 'src')
}
