// Answers `POST /v1/token` with the layers of the service up to the named one, and prints its address. Up to the rate limit
// the answer is made up; from there on it is the service itself that runs, without its audit line or with it.
import { readSettings } from '@acs-kit/service-settings'
import { problemSchemas, routes, type TokenResponse } from '@acs-kit/token-contract'
import rateLimit from '@fastify/rate-limit'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance } from 'fastify'
import { buildService } from '../src/app.ts'
import { createLog, openLogDestination } from '../src/log.ts'
import { authentication } from '../src/plugins/authentication.ts'
import { browsers } from '../src/plugins/browsers.ts'
import { jsonBodies } from '../src/plugins/json-bodies.ts'
import { problems } from '../src/plugins/problems.ts'
import { SignIn } from '../src/sign-in/sign-in.ts'

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
  return (await buildService({ settings, log })).app
}

async function buildUpTo(): Promise<FastifyInstance> {
  const answer = JSON.parse(process.argv[3]!) as TokenResponse
  const app: FastifyInstance = fastify()
  if (has('contract')) {
    app.setValidatorCompiler(TypeBoxValidatorCompiler)
    for (const schema of problemSchemas) app.addSchema(schema)
    await app.register(jsonBodies)
    await app.register(rateLimit, { global: false })
    await app.register(problems, { badRequestsPerMinute: settings.BAD_REQUESTS_PER_MINUTE })
  }
  if (has('browsers'))
    await app.register(browsers, { origins: settings.ALLOWED_ORIGINS, headers: settings.ALLOWED_HEADERS })
  const signIn = new SignIn(settings.SIGN_IN_ISSUERS, {
    now: Date.now,
    reuseMs: settings.REVOCATION_BOUND_SECONDS * 1000,
  })
  if (has('rate limit')) {
    await app.register(authentication, { signIn, requestsPerMinute: settings.TOKENS_PER_MINUTE })
  } else if (has('authentication')) {
    app.addHook('onRequest', ({ headers: { authorization } }, _reply, done) =>
      signIn.recall(authorization) ? done() : signIn.verify(authorization).then((principal) => signIn.keep(principal)),
    )
  }
  const { method, url, schema } = routes.issueToken
  const response = { 200: schema.response[200] }
  app.route({ method, url, schema: has('contract') ? schema : { response }, handler: async () => answer })
  return app
}
