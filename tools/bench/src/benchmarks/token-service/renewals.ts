import { setTimeout as sleep } from 'node:timers/promises'
import type { Emulator } from '@acs-kit/communication-emulator'
import { Backend } from '@acs-kit/local-stack/backend'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { tokenSource, type Scope, type TokenResponse } from '@acs-kit/token-client'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { fetchToken, unlimited } from './token-requests.ts'

const minuteMs = 60_000
const days = 30
const pauseMinutes = 10
/** A token is renewed at the latest when this much of its lifetime remains. */
const renewalMinutes = 20
const users = ['alice', 'bob']
const scopeSets: Scope[][] = [['chat'], ['chat', 'voip']]

interface Caller {
  readonly url: string
  readonly signInToken: string
  readonly scopes: Scope[]
  readonly now: () => number
}

type GetToken = () => Promise<Pick<TokenResponse, 'token' | 'expiresOn'>>

/** Requests to ACS in a month of users who request a token every ten minutes. */
export async function benchmarkRenewals(): Promise<Measurement[]> {
  const name = 'requests to ACS in 30 days, all users and sets of scopes'
  return [await simulateMonth(name, connectDirectly, countRequestsToAcs)]
}

function connectDirectly({ url, signInToken, scopes }: Caller): GetToken {
  return async () => JSON.parse(await fetchToken(url, signInToken, { scopes })) as TokenResponse
}

function countRequestsToAcs({ requests }: Emulator): number {
  const operations = new Set<string | undefined>(['createIdentity', 'issueAccessToken'])
  return requests.list().filter(({ operation }) => operations.has(operation)).length
}

/** Requests to the service in the same month, if the users have the client package. */
export async function benchmarkClientRenewals(): Promise<Measurement[]> {
  let requests = 0
  const connect = ({ url, signInToken, scopes, now }: Caller): GetToken => {
    const source = tokenSource({
      url,
      getSignInToken: () => signInToken,
      fetch: (...request) => {
        requests++
        return fetch(...request)
      },
      // The users request tokens often enough to need no timer.
      clock: { now, after: () => () => {} },
    })
    return () => source.getToken({ scopes })
  }
  const name = "the client's requests to the service in 30 days, all users and sets of scopes"
  return [await simulateMonth(name, connect, () => requests)]
}

/** Runs a service and an emulator whose clocks pass a month in seconds. Each user requests each token twice at once. */
async function simulateMonth(
  name: string,
  connect: (caller: Caller) => GetToken,
  countRequests: (emulator: Emulator) => number,
): Promise<Measurement> {
  await using issuer = await SignInIssuer.start()
  const signIn = { SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience }]) }
  await using backend = await Backend.start({ settings: { ...unlimited, ...signIn } })
  const { clock } = backend.emulator
  // The service follows the emulator's clock.
  const { url } = await backend.startService()
  const exp = Math.floor(Date.now() / 1000) + (days + 1) * 24 * 60 * 60
  const signInTokens = await Promise.all(users.map((sub) => issuer.sign({ sub, exp })))
  const getTokens = signInTokens.flatMap((signInToken) =>
    scopeSets.map((scopes) => connect({ url, signInToken, scopes, now: () => clock.now() })),
  )
  /** Tokens of each caller. */
  const issued = getTokens.map(() => new Map<string, { at: number; until: number }>())
  for (let elapsed = 0; elapsed < days * 24 * 60; elapsed += pauseMinutes) {
    const at = clock.now()
    await Promise.all(
      [...getTokens, ...getTokens].map(async (getToken, index) => {
        const { token, expiresOn } = await getToken()
        const tokens = issued[index % getTokens.length]!
        if (!tokens.has(token)) tokens.set(token, { at, until: Date.parse(expiresOn) })
      }),
    )
    clock.advance(pauseMinutes * minuteMs)
    while ((await readTime(url)) < at + (pauseMinutes - 1) * minuteMs) await sleep(1)
  }
  return createMeasurement({
    name,
    // The first request of each caller starts the time that the others divide.
    value: countRequests(backend.emulator) - getTokens.length,
    unit: 'requests',
    reference: {
      name: 'lifetimes of a token, without their last 20 minutes',
      value: issued.map((tokens) => countLifetimes([...tokens.values()])).reduce((sum, count) => sum + count),
    },
    goal: { of: 'ratio', is: 'below', limit: 1.01 },
  })
}

/** How many lifetimes of a token fit into the time in which tokens were requested. */
function countLifetimes(tokens: readonly { at: number; until: number }[]): number {
  const usedMs = tokens.at(-1)!.at - tokens[0]!.at
  const lifetimesMs = tokens.map(({ at, until }) => until - at - renewalMinutes * minuteMs)
  return (usedMs * tokens.length) / lifetimesMs.reduce((sum, ms) => sum + ms)
}

/** Time of the service, in milliseconds since 1970. */
async function readTime(url: string): Promise<number> {
  const { headers } = await fetch(`${url}/healthz`)
  return Date.parse(headers.get('date')!)
}
