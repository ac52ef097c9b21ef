import { fastifyPlugin } from 'fastify-plugin'

/** JSON, as Fastify reads it; but no body at all is no mistake, whatever its Content-Type says. */
export const jsonBodies = fastifyPlugin(
  async (app) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, {})
      else void parse(request, body as string, done)
    })
    app.addHook('preValidation', (request, _reply, done) => {
      if (request.body === undefined) request.body = {}
      done()
    })
  },
  { name: 'json-bodies' },
)
