import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Emulator } from '@acs-kit/communication-emulator'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { createServer, searchForWorkspaceRoot, type Connect } from 'vite'
import { loadStackDocuments, type PublishedStack } from './stack-documents.ts'

export interface DemoServer extends AsyncDisposable {
  readonly url: string
  /** Serves the documents of a stack that has started. */
  publish(stack: PublishedStack): void
}

/** Sources to watch, with the watcher that reloads the demo. */
export interface WatchedSources {
  readonly folders: readonly string[]
  readonly onChange: () => void
}

const root = dirname(fileURLToPath(import.meta.resolve('@acs-kit/web-demo/package.json')))
/** Folders that the page consists of. The rest of the workspace is not served, such as the emulator's data. */
const servedFolders = [
  root,
  dirname(fileURLToPath(import.meta.resolve('@acs-kit/token-client'))),
  join(searchForWorkspaceRoot(root), 'node_modules'),
]

/**
 * Serves the demo from its sources, and the emulated sign-in under the same address, so that browsers need not trust the
 * emulator's certificate. Other apps on this machine can use that address as well. Port 0 takes a free one.
 */
export async function startDemoServer(
  emulator: Emulator,
  { port, watch }: { readonly port: number; readonly watch?: WatchedSources | undefined },
): Promise<DemoServer> {
  const findDocument = await loadStackDocuments(emulator)
  let published: PublishedStack | undefined
  const serveDocument: Connect.NextHandleFunction = ({ headers, url = '/' }, response, next) => {
    const address = new URL(url, `http://${headers.host}`)
    const document = findDocument(address, published)
    if (!document) return next()
    if (document === 'starting') return void response.writeHead(503, { 'Retry-After': '1' }).end()
    // Apps of other origins sign in here.
    if (address.pathname.endsWith('/openid-configuration')) response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(document))
  }
  const toEmulator = { target: new URL(emulator.endpoint).origin, changeOrigin: true }
  await using parts = new AsyncDisposableStack()
  const cache = parts.use(new TemporaryFolder())
  const listeners = process.listeners('SIGTERM')
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    // Azure's packages need bundling. Nothing may be written next to them.
    cacheDir: cache.path,
    optimizeDeps: { noDiscovery: true, include: ['@azure/communication-chat', '@azure/communication-common'] },
    server: {
      host: '127.0.0.1',
      port,
      cors: false,
      fs: { allow: [...servedFolders, cache.path] },
      // Other programs rely on a port that was chosen.
      strictPort: port !== 0,
      proxy: { [`/${emulator.entra.tenantId}/`]: toEmulator, '/_emulator/': toEmulator },
    },
    plugins: [
      {
        name: 'stack-documents',
        configureServer({ middlewares }) {
          // Vite opens files in the user's editor at the request of any web page.
          middlewares.use('/__open-in-editor', (_request, response) => void response.writeHead(404).end())
          middlewares.use(serveDocument)
        },
      },
    ],
  })
  // Vite would exit on SIGTERM while this program still cleans up.
  const added = process.listeners('SIGTERM').filter((listener) => !listeners.includes(listener))
  for (const listener of added) process.off('SIGTERM', listener)
  parts.defer(() => server.close())
  // The watcher reads the folders in the background, while the service starts.
  if (watch) {
    const { folders, onChange } = watch
    server.watcher.add([...folders]).on('all', (_event, path) => {
      if (folders.some((folder) => path.startsWith(folder))) onChange()
    })
  }
  await server.listen()
  const open = parts.move()
  return {
    url: server.resolvedUrls!.local[0]!,
    publish: (stack) => void (published = stack),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
