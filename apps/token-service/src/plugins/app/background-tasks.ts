import { fastifyPlugin } from 'fastify-plugin'
import { createBackgroundTasks, type BackgroundTasks } from '../../background-tasks.ts'
import type { ServiceOptions } from '../../service-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    backgroundTasks: BackgroundTasks
  }
}

/** Decorates the app with `backgroundTasks`, which `close` waits for. */
export const backgroundTasks = fastifyPlugin(
  async (app, { log }: ServiceOptions) => {
    app.decorate('backgroundTasks', createBackgroundTasks(log))
    app.addHook('onClose', () => app.backgroundTasks.settle())
  },
  { name: 'background-tasks' },
)
