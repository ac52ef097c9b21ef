import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

const require = createRequire(import.meta.url)
const decompress = promisify(brotliDecompress)
const builtAssets = new URL('reference/', import.meta.url)

const assets = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
} as const

/** Allows the page's own scripts, styles and requests. Swagger UI adds inline styles and images. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

/** Serves `/reference`, a page of Swagger UI to read the API and try requests. */
export async function referencePage(app: FastifyInstance): Promise<void> {
  const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>acs-kit token service</title>
  <link rel="stylesheet" href="${app.prefix}/reference/swagger-ui.css">
  <main id="reference"></main>
  <script src="${app.prefix}/reference/swagger-ui-bundle.js"></script>
  <script src="${app.prefix}/reference/start.js"></script>
</html>
`
  const start = `SwaggerUIBundle({ url: '${app.prefix}/openapi.json', dom_id: '#reference', deepLinking: true })\n`
  app.addHook('onSend', async (_request, reply) => {
    reply.header('Content-Security-Policy', contentSecurityPolicy)
  })
  app.get('/reference', async (_request, reply) => reply.type('text/html').send(page))
  app.get('/reference/start.js', async (_request, reply) => reply.type('text/javascript').send(start))
  const folder = findPackage()
  for (const [name, type] of Object.entries(assets)) {
    let content: Promise<Buffer> | undefined
    app.get(`/reference/${name}`, async (_request, reply) =>
      reply
        .type(type)
        .header('Cache-Control', 'max-age=3600')
        .send(await (content ??= readAsset(name, folder))),
    )
  }
}

/** Reads the file that `build.ts` compressed, or that of the package when it was not built. */
async function readAsset(name: string, folder: string | undefined): Promise<Buffer> {
  if (folder === undefined) return decompress(await readFile(new URL(`${name}.br`, builtAssets)))
  return readFile(join(folder, name))
}

/** Returns undefined in the built service. */
function findPackage(): string | undefined {
  if (existsSync(builtAssets)) return undefined
  try {
    return dirname(require.resolve('swagger-ui-dist/package.json'))
  } catch (cause) {
    throw new Error('swagger-ui-dist is not installed: install it, or unset REFERENCE_PAGE', { cause })
  }
}
