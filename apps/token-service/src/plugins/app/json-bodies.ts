import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../../problems/problem-error.ts'

const bodyLimit = 32 * 1024

/** Parses JSON bodies. An absent body is never an error, whatever the Content-Type. */
export const jsonBodies = fastifyPlugin(
  async (app) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    // Fastify rejects an invalid type before it calls a parser, and only a parser can detect an absent body.
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.mediaType === undefined) delete request.headers['content-type']
      done()
    })
    app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, (request, body, done) => {
      if (body === '') done(null, {})
      else void parse(request, body as string, done)
    })
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
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
