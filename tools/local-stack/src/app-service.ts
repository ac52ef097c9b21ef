import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import type { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from '@acs-kit/token-service/build'
import { unzipSync } from 'fflate'
import { TokenServiceProcess } from './token-service-process.ts'

interface SiteConfig {
  readonly linuxFxVersion: string
  readonly appCommandLine: string
  readonly appSettings: readonly { readonly name: string; readonly value: string }[]
}

interface AppServiceOptions {
  /** Empty. */
  readonly folder: TemporaryFolder
  readonly settings?: NodeJS.ProcessEnv
  readonly onLog?: ((text: string) => void) | undefined
}

/**
 * Stands in for App Service: builds the service's package, unpacks it, and runs the provisioned site's command with the app
 * settings that the resource manager recorded. `settings` are those of this machine.
 */
export async function startOnAppService(
  emulator: Emulator,
  { folder, settings, onLog = () => {} }: AppServiceOptions,
): Promise<TokenServiceProcess> {
  const root = folder.join('wwwroot')
  await buildArtifact(folder.join('package'))
  unpack(readFileSync(folder.join('package.zip')), root)
  const { appCommandLine, appSettings, linuxFxVersion } = getSiteConfig(emulator)
  return await TokenServiceProcess.start({
    script: join(root, parseCommand(appCommandLine, linuxFxVersion)),
    env: {
      ...Object.fromEntries(appSettings.map(({ name, value }) => [name, value])),
      IDENTITY_ENDPOINT: emulator.entra.managedIdentity.endpoint,
      IDENTITY_HEADER: emulator.entra.managedIdentity.header,
      // Not set by App Service: the emulated Azure has a certificate of its own, and only this machine may connect.
      NODE_EXTRA_CA_CERTS: emulator.caPath,
      HOST: '127.0.0.1',
      ...settings,
    },
    clock: emulator.clock,
    onLog,
  })
}

function unpack(zip: Uint8Array, folder: string): void {
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function getSiteConfig(emulator: Emulator): SiteConfig {
  const site = emulator.resourceManager.resources().find(({ id }) => id.type === 'Microsoft.Web/sites')
  if (!site) throw new Error('the resource manager has no site: provision one before the service starts')
  return site.envelope.properties!['siteConfig'] as SiteConfig
}

/** Returns the script of a `node` command. Throws unless this is the site's major version of Node. */
function parseCommand(command: string, runtime: string): string {
  const [, major] = /^NODE\|(\d+)-lts$/.exec(runtime) ?? []
  const [, script] = /^node (\S+)$/.exec(command) ?? []
  if (script !== undefined && major === process.versions.node.split('.')[0]) return script
  throw new Error(
    `the site runs "${command}" on ${runtime}, but this is Node ${process.versions.node}: correct it in infra/token-service-site.ts`,
  )
}
