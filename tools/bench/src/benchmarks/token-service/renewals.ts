import { setTimeout as sleep } from 'node:timers/promises'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { tokenSource, type Scope, type TokenResponse } from '@acs-kit/token-client'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { fetchToken } from './token-requests.ts'

const minuteMs = 60_000
const days = 30
const pauseMinutes = 10
/** A token is renewed at the latest when this much of its lifetime remains. */
const renewalMinutes = 20
const users = ['alice', 'bob']
const scopeSets: Scope[][] = [['chat'], ['chat', 'voip']]

interface Caller {
  readonly address: string
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

function connectDirectly({ address, signInToken, scopes }: Caller): GetToken {
  return async () => JSON.parse(await fetchToken(address, signInToken, { scopes })) as TokenResponse
}

async function countRequestsToAcs(emulator: EmulatorProcess): Promise<number> {
  const requests = await emulator.administer<{ operation?: string }[]>('GET', 'requests')
  return requests.filter(({ operation = '' }) => /^(?:createIdentity|issueAccessToken)$/.test(operation)).length
}

/** Requests to the service in the same month, if the users have the client package. */
export async function benchmarkClientRenewals(): Promise<Measurement[]> {
  let requests = 0
  const connect = ({ address, signInToken, scopes, now }: Caller): GetToken => {
    const source = tokenSource({
      url: address,
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
  return [await simulateMonth(name, connect, async () => requests)]
}

/** Runs a service and an emulator whose clocks pass a month in seconds. Each user requests each token twice at once. */
async function simulateMonth(
  name: string,
  connect: (caller: Caller) => GetToken,
  countRequests: (emulator: EmulatorProcess) => Promise<number>,
): Promise<Measurement> {
  await using stack = await TokenServiceStack.start()
  const { emulator, issuer, script, env } = stack
  // A service with a channel receives its clock over that.
  await using server = await ServerProcess.start({ script, env, hasChannel: true, ready: /the service listens/ })
  const address = /"address":"([^"]+)"/.exec(server.stdout)![1]!
  const exp = Math.floor(Date.now() / 1000) + (days + 1) * 24 * 60 * 60
  const signInTokens = await Promise.all(users.map((sub) => issuer.sign({ sub, exp })))
  let clockOffset = 0
  const now = () => Date.now() + clockOffset
  const getTokens = signInTokens.flatMap((signInToken) =>
    scopeSets.map((scopes) => connect({ address, signInToken, scopes, now })),
  )
  /** Tokens of each caller. */
  const issued = getTokens.map(() => new Map<string, { at: number; until: number }>())
  for (let elapsed = 0; elapsed < days * 24 * 60; elapsed += pauseMinutes) {
    const at = now()
    await Promise.all(
      [...getTokens, ...getTokens].map(async (getToken, index) => {
        const { token, expiresOn } = await getToken()
        const tokens = issued[index % getTokens.length]!
        if (!tokens.has(token)) tokens.set(token, { at, until: Date.parse(expiresOn) })
      }),
    )
    clockOffset += pauseMinutes * minuteMs
    await emulator.administer('POST', 'clock/advance', { milliseconds: pauseMinutes * minuteMs })
    server.send({ clockOffset })
    while ((await readTime(address)) < at + (pauseMinutes - 1) * minuteMs) await sleep(1)
  }
  return createMeasurement(
    {
      name,
      // The first request of each caller starts the time that the others divide.
      value: (await countRequests(emulator)) - getTokens.length,
      unit: 'requests',
      reference: {
        name: 'lifetimes of a token, without their last 20 minutes',
        value: issued.map((tokens) => countLifetimes([...tokens.values()])).reduce((sum, count) => sum + count),
      },
    },
    { of: 'ratio', is: 'below', limit: 1.01 },
  )
}

/** How many lifetimes of a token fit into the time in which tokens were requested. */
function countLifetimes(tokens: readonly { at: number; until: number }[]): number {
  const usedMs = tokens.at(-1)!.at - tokens[0]!.at
  const lifetimesMs = tokens.map(({ at, until }) => until - at - renewalMinutes * minuteMs)
  return (usedMs * tokens.length) / lifetimesMs.reduce((sum, ms) => sum + ms)
}

/** Time of the service, in milliseconds since 1970. */
async function readTime(address: string): Promise<number> {
  const { headers } = await fetch(`${address}/healthz`)
  return Date.parse(headers.get('date')!)
}
