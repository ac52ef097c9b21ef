import { fastifyPlugin } from 'fastify-plugin'
import type { ServiceOptions } from '../../service-options.ts'

/** Sends the injected time as `Date`, from which clients learn the service's time. Node itself sends the machine's. */
export const dateHeader = fastifyPlugin(
  async (app, { now }: ServiceOptions) => {
    if (now === Date.now) return
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('Date', new Date(now()).toUTCString())
      done()
    })
  },
  { name: 'date-header' },
)
