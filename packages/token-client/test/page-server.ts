import { createServer } from 'node:http'
import { listenLocally } from '@acs-kit/test-support/local-server'

export interface PageServer extends AsyncDisposable {
  readonly url: string
}

/** Serves a page with the global `client`, the module in `script`. */
export async function servePage(script: string): Promise<PageServer> {
  const page = `<!doctype html><title>test</title><link rel="icon" href="data:,">
    <script type="module">import * as client from '/client.js'; globalThis.client = client</script>`
  const server = createServer(({ url }, response) => {
    const [type, content] = url === '/' ? ['text/html', page] : ['text/javascript', script]
    response.writeHead(200, { 'Content-Type': type }).end(content)
  })
  const local = await listenLocally(server)
  return { url: `http://127.0.0.1:${local.port}/`, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() }
}
