import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'

const require = createRequire(import.meta.url)

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
  const folder = findAssets()
  for (const [name, type] of Object.entries(assets)) {
    const content = await readFile(new URL(name, folder))
    app.get(`/reference/${name}`, async (_request, reply) =>
      reply.type(type).header('Cache-Control', 'max-age=3600').send(content),
    )
  }
}

/** The folder that `build.ts` copies, or the package when run from sources. */
function findAssets(): URL {
  const built = new URL('reference/', import.meta.url)
  return existsSync(built) ? built : new URL('./', pathToFileURL(require.resolve('swagger-ui-dist/package.json')))
}
