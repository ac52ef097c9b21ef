import { fastifyPlugin } from 'fastify-plugin'
import { Communication } from '../../communication/communication.ts'
import { createAccessKeys } from '../../connections.ts'
import type { ServiceOptions } from '../../service-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    communication: Communication
  }
}

/** Decorates the app with `communication`: Azure Communication Services within its limits. */
export const communication = fastifyPlugin(
  async (app, { settings, log, random }: ServiceOptions) => {
    app.decorate(
      'communication',
      await Communication.connect({
        sdk: settings.ACS_SDK,
        keys: await createAccessKeys(settings),
        instances: settings.INSTANCES,
        log,
        random,
        onAttempt: (operation) => app.metrics?.communicationAttempts.inc({ operation }),
      }),
    )
  },
  { name: 'communication', dependencies: ['metrics'] },
)
