import { fileURLToPath } from 'node:url'
import { ServerProcess } from '@acs-kit/test-support/server-process'

export const bareRoute = 'a bare Fastify route'

/** Starts the reference of the service: a bare Fastify route that responds with `body`, in a process of its own. */
export async function startBareRoute(body: string) {
  const script = fileURLToPath(import.meta.resolve('./bare-server.ts'))
  const server = await ServerProcess.start({ script, args: [body], ready: /\n/ })
  return { url: server.stdout.trim(), server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
