import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Emulator } from '@acs-kit/communication-emulator'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { unzipSync } from 'fflate'
import { Service } from './service.ts'

export interface SiteOptions {
  /** Its resource manager has the site. */
  readonly emulator: Emulator
  /** 0 takes a free one. */
  readonly port: number
  /** Hears of each piece of its log. */
  readonly onLog?: (text: string) => void
}

interface SiteConfig {
  readonly linuxFxVersion: string
  readonly appCommandLine: string
  readonly appSettings: readonly { readonly name: string; readonly value: string }[]
}

const build = fileURLToPath(import.meta.resolve('@acs-kit/token-service/build'))

/**
 * Stands in for App Service: unpacks the service's package into an empty folder, and starts it by the site's command, with
 * the app settings that the resource manager recorded and nothing else but what App Service itself sets.
 */
export class Site implements AsyncDisposable {
  readonly service: Service
  readonly #folder: string

  private constructor(service: Service, folder: string) {
    this.service = service
    this.#folder = folder
  }

  static async start({ emulator, port, onLog }: SiteOptions): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), 'acs-kit-site-'))
    try {
      await promisify(execFile)(process.execPath, [build, join(folder, 'package')], { env: childEnvironment() })
      const root = join(folder, 'wwwroot')
      unpack(readFileSync(join(folder, 'package.zip')), root)
      const { appCommandLine, appSettings, linuxFxVersion } = configOf(emulator)
      const service = await Service.start({
        script: join(root, scriptOf(appCommandLine, linuxFxVersion)),
        env: {
          ...Object.fromEntries(appSettings.map(({ name, value }) => [name, value])),
          PORT: String(port),
          IDENTITY_ENDPOINT: emulator.entra.managedIdentity.endpoint,
          IDENTITY_HEADER: emulator.entra.managedIdentity.header,
          // Not App Service's: what is emulated here has a certificate of its own, and nobody else shall come in.
          NODE_EXTRA_CA_CERTS: emulator.caPath,
          HOST: '127.0.0.1',
        },
        ...(onLog && { onLog }),
      })
      return new Site(service, folder)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function unpack(zip: Uint8Array, folder: string): void {
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function configOf(emulator: Emulator): SiteConfig {
  const site = emulator.resourceManager.resources().find(({ id }) => id.type === 'Microsoft.Web/sites')
  if (!site) throw new Error('the resource manager has no site')
  return site.envelope.properties!['siteConfig'] as SiteConfig
}

/** The same major version of Node runs it here. */
function scriptOf(command: string, runtime: string): string {
  const [, major] = /^NODE\|(\d+)-lts$/.exec(runtime) ?? []
  const [, script] = /^node (\S+)$/.exec(command) ?? []
  if (script === undefined || major !== process.versions.node.split('.')[0]) {
    throw new Error(`the site asks for ${runtime} and "${command}", and this is Node ${process.versions.node}`)
  }
  return script
}
