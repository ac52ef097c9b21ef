// Answers `POST /v1/token` with the layers of the service up to the named one, and prints its address. Up to the rate limit
// the answer is made up; from there on it is the service itself that runs, without its audit line or with it.
import { readSettings } from '@acs-kit/service-settings'
import { routes, type TokenResponse } from '@acs-kit/token-contract'
import fastify, { type FastifyInstance } from 'fastify'
import { buildServer } from '../src/build-server.ts'
import { createLog, openLogDestination } from '../src/log.ts'
import { authentication } from '../src/plugins/app/authentication.ts'
import { cors } from '../src/plugins/app/cors.ts'
import { jsonBodies } from '../src/plugins/app/json-bodies.ts'
import { problems } from '../src/plugins/app/problems.ts'
import { securityHeaders } from '../src/plugins/app/security-headers.ts'
import { signIn } from '../src/plugins/app/sign-in.ts'
import { uniqueHeaders } from '../src/plugins/app/unique-headers.ts'
import { rateLimit } from '../src/plugins/external/rate-limit.ts'
import { typebox } from '../src/plugins/external/typebox.ts'

const layers = ['bare', 'contract', 'browsers', 'authentication', 'rate limit', 'token', 'audit'] as const
const settings = readSettings(process.env)

const top = layers.findIndex((layer) => layer === process.argv[2])
if (top < 0) throw new Error(`name a layer: ${layers.join(', ')}`)
const app = has('token') ? await buildWhole() : await buildUpTo()
process.stdout.write(`${await app.listen({ host: settings.HOST, port: settings.PORT })}\n`)

function has(layer: (typeof layers)[number]): boolean {
  return top >= layers.indexOf(layer)
}

async function buildWhole(): Promise<FastifyInstance> {
  const log = createLog(has('audit') ? 'info' : 'error', openLogDestination())
  return buildServer({ ...settings, log })
}

async function buildUpTo(): Promise<FastifyInstance> {
  const answer = JSON.parse(process.argv[3]!) as TokenResponse
  const app: FastifyInstance = fastify()
  const log = createLog('error', openLogDestination())
  const options = { settings, log, now: Date.now, random: Math.random }
  if (has('contract')) {
    for (const plugin of [typebox, jsonBodies, rateLimit, problems]) await app.register(plugin, options)
  }
  if (has('browsers')) for (const plugin of [securityHeaders, uniqueHeaders, cors]) await app.register(plugin, options)
  await app.register(signIn, options)
  if (has('rate limit')) {
    await app.register(authentication, options)
  } else if (has('authentication')) {
    app.addHook('onRequest', ({ headers: { authorization } }, _reply, done) =>
      app.signIn.getVerified(authorization)
        ? done()
        : app.signIn.verify(authorization).then((principal) => app.signIn.addVerified(principal)),
    )
  }
  const { method, url, schema } = routes.issueToken
  const response = { 200: schema.response[200] }
  app.route({ method, url, schema: has('contract') ? schema : { response }, handler: async () => answer })
  return app
}
