import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../../problems/problem-error.ts'

/** Rejects unknown routes with 404, and unknown methods of known routes with 405 and `Allow`. */
export const notFound = fastifyPlugin(
  async (app) => {
    app.setNotFoundHandler(async (request, reply) => {
      const [path = ''] = request.url.split('?')
      // OPTIONS exists everywhere, for CORS.
      const methods = app.supportedMethods.filter(
        (method) => method !== 'OPTIONS' && app.findRoute({ method, url: path }) !== null,
      )
      if (methods.length === 0) throw new ProblemError('route-unknown')
      reply.header('Allow', methods.join(', '))
      throw new ProblemError('method-not-allowed')
    })
  },
  { name: 'not-found', dependencies: ['problems'] },
)
