import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'

const assets = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
} as const

/** Its own scripts and styles, and requests to this service; Swagger UI sets styles and images of its own. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>acs-kit token service</title>
  <link rel="stylesheet" href="/reference/swagger-ui.css">
  <main id="reference"></main>
  <script src="/reference/swagger-ui-bundle.js"></script>
  <script src="/reference/start.js"></script>
</html>
`

const start = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true })\n"

/** A page to read the API and try requests in. The folder is that of `swagger-ui-dist`, or what the build took from it. */
export const referencePage: FastifyPluginAsync<{ readonly folder: URL }> = async (app, { folder }) => {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('Content-Security-Policy', contentSecurityPolicy)
  })
  app.get('/reference', async (_request, reply) => reply.type('text/html').send(page))
  app.get('/reference/start.js', async (_request, reply) => reply.type('text/javascript').send(start))
  for (const [name, type] of Object.entries(assets)) {
    const content = await readFile(new URL(name, folder))
    app.get(`/reference/${name}`, async (_request, reply) =>
      reply.type(type).header('Cache-Control', 'max-age=3600').send(content),
    )
  }
}
