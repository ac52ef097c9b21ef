import fastifyRateLimit from '@fastify/rate-limit'
import { fastifyPlugin } from 'fastify-plugin'

/** Users and addresses counted at a time: bounds the memory. */
const maxCounted = 100_000

/** Counts requests where a plugin creates a limit: `problems` for rejections, `authentication` for users. */
export const rateLimit = fastifyPlugin(
  async (app) => {
    await app.register(fastifyRateLimit, { global: false, cache: maxCounted })
  },
  { name: 'rate-limit' },
)
