// Prints how often Azure was called in 30 days of users who ask for a token every 10 minutes, twice at once, and how many
// lives of a token fit into the time between those calls. Takes the connection string of a store, and `client` for users
// who ask through the client package: then it is the calls to the service that count.
import { startEmulator } from '@acs-kit/communication-emulator'
import { readSettings } from '@acs-kit/service-settings'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { tokenSource, type Scope } from '@acs-kit/token-client'
import { buildServer } from '../src/build-server.ts'
import { createLog } from '../src/log.ts'

const minute = 60_000
const days = 30
const pauseMinutes = 10
/** What is left of a token when it is at the latest renewed. */
const remainingMinutes = 20
const users = ['alice', 'bob']
const scopeSets: Scope[][] = [['chat'], ['chat', 'voip']]

await using emulator = await startEmulator()
await using issuer = await SignInIssuer.start()
const settings = readSettings({
  SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience }]),
  COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
  IDENTITY_STORE_CONNECTION_STRING: process.argv[2],
  IDENTITY_STORE_TABLE: `life${Date.now()}`,
  TOKENS_PER_MINUTE: '100000',
})
const log = createLog('error', { write: (line) => process.stderr.write(line) })
const app = await buildServer({ ...settings, log, now: () => emulator.clock.now() })
const signInTokens = await Promise.all(
  users.map((sub) => issuer.sign({ sub, exp: Math.floor(Date.now() / 1000) + (days + 1) * 24 * 60 * 60 })),
)
let serviceCalls = 0
const isByClient = process.argv[3] === 'client'
const askers = signInTokens.flatMap((signInToken) => scopeSets.map((scopes) => askerOf(signInToken, scopes)))
/** When each asker's tokens came, and until when they live. */
const issued = askers.map(() => new Map<string, { at: number; until: number }>())

for (let elapsed = 0; elapsed < days * 24 * 60; elapsed += pauseMinutes) {
  const at = emulator.clock.now()
  await Promise.all(
    [...askers, ...askers].map(async (asker, index) => {
      const { token, expiresOn } = await asker()
      const tokens = issued[index % askers.length]!
      if (!tokens.has(token)) tokens.set(token, { at, until: Date.parse(expiresOn) })
    }),
  )
  emulator.clock.advance(pauseMinutes * minute)
}
await app.close()

const lives = issued.map((tokens) => {
  const all = [...tokens.values()]
  const used = all.at(-1)!.at - all[0]!.at
  const lifeTimes = all.map(({ at, until }) => until - at - remainingMinutes * minute)
  return (used * all.length) / lifeTimes.reduce((sum, time) => sum + time)
})
const operations = new Set(['createIdentity', 'issueAccessToken'])
const azureCalls = emulator.requests.list().filter(({ operation }) => operations.has(operation!)).length
const calls = isByClient ? serviceCalls : azureCalls
// An asker's first call begins the time that the others divide.
process.stdout.write(JSON.stringify({ calls: calls - askers.length, lives: lives.reduce((sum, count) => sum + count) }))

function askerOf(signInToken: string, scopes: readonly Scope[]): () => Promise<{ token: string; expiresOn: string }> {
  if (!isByClient) return () => ask(signInToken, { scopes })
  const source = tokenSource({
    url: 'https://service.example',
    getSignInToken: () => signInToken,
    fetch: async (_url, init) => {
      serviceCalls++
      return Response.json(await ask(signInToken, JSON.parse(init!.body as string) as object))
    },
    // They ask often enough that no timer is needed.
    clock: { now: () => emulator.clock.now(), after: () => () => {} },
  })
  return () => source.getToken({ scopes })
}

async function ask(signInToken: string, payload: object) {
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/token',
    headers: { authorization: `Bearer ${signInToken}` },
    payload,
  })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<{ token: string; expiresOn: string }>()
}
