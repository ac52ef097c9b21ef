import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { listenLocally } from '@acs-kit/test-support/local-server'

export interface PageServer extends AsyncDisposable {
  readonly url: string
}

/** Serves a page with the global `client`: a script, or a module from a folder. */
export async function servePage(
  client: { readonly script: string } | { readonly folder: string; readonly path: string },
): Promise<PageServer> {
  const path = 'path' in client ? client.path : '/client.js'
  const page = `<!doctype html><title>test</title><link rel="icon" href="data:,">
    <script type="module">import * as client from '${path}'; globalThis.client = client</script>`
  const server = createServer(({ url = '/' }, response) => {
    if (url === '/') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
    const script = 'script' in client ? client.script : readFileSync(join(client.folder, url), 'utf8')
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script)
  })
  const local = await listenLocally(server)
  return { url: `http://127.0.0.1:${local.port}/`, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() }
}
