import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wellKnownPublicClientId, type Emulator } from '@acs-kit/communication-emulator'
import { createServer } from 'vite'

export interface DemoOptions {
  readonly emulator: Emulator
  /** Whether the resource is the emulator's: then its clock can be moved in the page. */
  readonly isAzureEmulated: boolean
  /** Asked with each visit: the demo may be there before the service is. */
  readonly serviceUrl: () => string
  /** 0 takes a free one. */
  readonly port: number
}

export interface Demo extends AsyncDisposable {
  readonly url: string
}

const workspace = fileURLToPath(new URL('../../..', import.meta.url))
const root = dirname(fileURLToPath(import.meta.resolve('@acs-kit/web-demo/package.json')))
/** What the page is made of. Nothing else of the workspace is served, least of all what the emulator keeps. */
const served = [root, join(workspace, 'packages/token-client/src'), join(workspace, 'node_modules')]

/** Serves the demo from its sources. The emulated sign-in is under the demo's own address, so that no browser has to trust a certificate. */
export async function serveDemo({ emulator, isAzureEmulated, serviceUrl, port }: DemoOptions): Promise<Demo> {
  const { issuer, tenantId } = emulator.entra
  const emulatorOrigin = new URL(emulator.endpoint).origin
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).text()
  const toEmulator = { target: emulatorOrigin, changeOrigin: true }
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    // Its packages are modules already; nothing is written beside them.
    optimizeDeps: { noDiscovery: true, include: [] },
    server: {
      host: '127.0.0.1',
      port,
      cors: false,
      fs: { allow: served },
      // A chosen port is one that somebody relies on.
      strictPort: port !== 0,
      proxy: { [`/${tenantId}/`]: toEmulator, '/_emulator/': toEmulator },
    },
    plugins: [
      {
        name: 'demo-config',
        configureServer({ middlewares }) {
          // Vite opens files in the user's editor for whoever asks, any web page included.
          middlewares.use('/__open-in-editor', (_request, response) => void response.writeHead(404).end())
          middlewares.use('/config.json', (request, response) => {
            const origin = `http://${request.headers.host}`
            const config = {
              authority: issuer,
              clientId: wellKnownPublicClientId,
              scope: 'openid profile offline_access api://acs-kit/access_as_user',
              metadata: { ...(JSON.parse(metadata.replaceAll(emulatorOrigin, origin)) as object), issuer },
              serviceUrl: serviceUrl(),
              ...(isAzureEmulated && { emulatorUrl: '/_emulator' }),
            }
            response.setHeader('Content-Type', 'application/json').end(JSON.stringify(config))
          })
        },
      },
    ],
  })
  try {
    await server.listen()
  } catch (error) {
    await server.close()
    throw error
  }
  const url = server.resolvedUrls!.local[0]!
  return { url, [Symbol.asyncDispose]: () => server.close() }
}
