import { join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import type { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'
import { mountPackage } from './package-mount.ts'
import { TokenServiceProcess } from './token-service-process.ts'

interface Site {
  readonly identity?: { readonly userAssignedIdentities?: Readonly<Record<string, unknown>> }
  readonly properties: {
    readonly siteConfig: {
      readonly linuxFxVersion: string
      readonly appCommandLine: string
      readonly appSettings: readonly { readonly name: string; readonly value: string }[]
    }
  }
}

interface AppServiceOptions {
  /** Empty. */
  readonly folder: TemporaryFolder
  /** Whether the stack has deployed the package. Otherwise, the service is built here. */
  readonly hasPackage: boolean
  readonly settings?: NodeJS.ProcessEnv
  readonly onLog?: ((text: string) => void) | undefined
}

/**
 * Stands in for App Service: mounts the package of the provisioned site, and runs its command with the app settings that the
 * resource manager recorded. `settings` are those of this machine.
 */
export async function startOnAppService(
  emulator: Emulator,
  { folder, hasPackage, settings, onLog = () => {} }: AppServiceOptions,
): Promise<TokenServiceProcess> {
  const root = folder.join('wwwroot')
  const { properties, identity } = getSite(emulator)
  const { appCommandLine, linuxFxVersion } = properties.siteConfig
  const appSettings = getAppSettings(emulator)
  const identities = Object.keys(identity?.userAssignedIdentities ?? {})
  if (hasPackage) await mountPackage(emulator, { appSettings, identities }, root)
  else await buildArtifact(root)
  return await TokenServiceProcess.start({
    script: join(root, parseCommand(appCommandLine, linuxFxVersion)),
    // Compiled code of this path is of no use to another run, so it is removed together with the package.
    env: { ...toSiteEnvironment(emulator, appSettings), TMPDIR: folder.path, ...settings },
    clock: emulator.clock,
    onLog,
  })
}

/** Returns the app settings of the provisioned site. */
export function getAppSettings(emulator: Emulator): Readonly<Record<string, string>> {
  const { appSettings } = getSite(emulator).properties.siteConfig
  return Object.fromEntries(appSettings.map(({ name, value }) => [name, value]))
}

/** Adds what App Service and this machine set to the app settings of a site. */
export function toSiteEnvironment(
  { entra, caPath }: Emulator,
  appSettings: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  return {
    ...appSettings,
    IDENTITY_ENDPOINT: entra.managedIdentity.endpoint,
    IDENTITY_HEADER: entra.managedIdentity.header,
    // Not set by App Service: the emulated Azure has a certificate of its own, and only this machine may connect.
    NODE_EXTRA_CA_CERTS: caPath,
    HOST: '127.0.0.1',
  }
}

function getSite(emulator: Emulator): Site {
  const site = emulator.resourceManager.resources().find(({ id }) => id.type === 'Microsoft.Web/sites')
  if (!site) throw new Error('the resource manager has no site: provision one before the service starts')
  return site.envelope as unknown as Site
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
