import type { Operation } from '@acs-kit/communication-identity'
import { fastifyPlugin } from 'fastify-plugin'
import { createCommunication, type Communication } from '../../communication/communication.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { attempts } from '../../steps.ts'

declare module 'fastify' {
  interface FastifyInstance {
    communication: Communication
  }
}

/** Decorates the app with `communication`: Azure Communication Services within its limits. */
export const communication = fastifyPlugin(
  async (app, options: ServiceOptions) => {
    const countAttempt = (operation: Operation) => {
      app.metrics?.communicationAttempts.inc({ operation })
      attempts.publish(operation)
    }
    app.decorate('communication', await createCommunication(options, countAttempt))
  },
  { name: 'communication', dependencies: ['metrics'] },
)
