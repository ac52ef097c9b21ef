import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../problem-error.ts'

/** Parses bodies as JSON, as Fastify does. An absent one is never an error, whatever the Content-Type. */
export const jsonBodies = fastifyPlugin(
  async (app) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    // Fastify rejects an invalid type before it calls any parser, which would see whether there is a body.
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.mediaType === undefined) delete request.headers['content-type']
      done()
    })
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, {})
      else void parse(request, body as string, done)
    })
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
      if (body.length === 0 || request.is404) done(null, {})
      else done(new ProblemError('media-type-unsupported'))
    })
    app.addHook('preValidation', (request, _reply, done) => {
      if (request.body === undefined) request.body = {}
      done()
    })
  },
  { name: 'json-bodies' },
)
