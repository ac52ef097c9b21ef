// Prints the bytes of heap that a user costs who is signed in and has a token, and those of the token. Azure and the store
// are played: their limits would make this last for an hour. Needs --expose-gc.
import { randomBytes, randomUUID } from 'node:crypto'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { BackgroundTasks } from '../src/background-tasks.ts'
import { AccessKey } from '../src/communication/access-key.ts'
import type { Communication, IssuedToken } from '../src/communication/communication.ts'
import type { FirstLogin } from '../src/identities/first-login.ts'
import type { IdentityStore, UserIdentity } from '../src/identities/identity-store.ts'
import { SignIn } from '../src/sign-in/sign-in.ts'
import type { Grant } from '../src/tokens/scope-policy.ts'
import { UserTokens } from '../src/tokens/user-tokens.ts'

const few = 5000
const many = 25_000
/** About as long as Azure's. */
const tokenBytes = 700

const log = {
  warn: (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
}
const key = new AccessKey('primary', undefined as never)
const grant: Grant = { key: 1, scopes: ['chat', 'voip'], minutes: 1440, isLifetimeRequested: false }

await using issuer = await SignInIssuer.start()
const signIn = new SignIn([{ issuer: issuer.issuer, audience }], { now: Date.now, reuseMs: 300_000 })
const userTokens = new UserTokens({
  store: { find } as unknown as IdentityStore,
  communication: { sdk: 'identity', issueToken } as unknown as Communication,
  firstLogin: undefined as unknown as FirstLogin,
  backgroundTasks: new BackgroundTasks(log),
  now: Date.now,
  random: Math.random,
  revocationBoundMs: 300_000,
  resourceId: undefined,
  replaceForeignIdentities: false,
  log,
})

await addUsers(0, few)
const before = heapUsed()
await addUsers(few, many)
const bytesPerUser = (heapUsed() - before) / (many - few)
process.stdout.write(JSON.stringify({ bytesPerUser, tokenBytes }))

async function addUsers(from: number, to: number): Promise<void> {
  for (let user = from; user < to; user++) {
    const signInToken = await issuer.sign({ sub: randomUUID() })
    const principal = await signIn.verify(`Bearer ${signInToken}`)
    signIn.addVerified(principal)
    await userTokens.issue(principal, grant)
  }
}

function heapUsed(): number {
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

/** A row as the table's client reads it: nothing of it is shared with another. */
async function find(userKey: string): Promise<UserIdentity> {
  const communicationUserId = `8:acs:${randomUUID()}_${randomUUID()}`
  const row = { userKey, issuer: issuer.issuer, subject: randomUUID(), communicationUserId }
  return {
    ...(JSON.parse(JSON.stringify(row)) as typeof row),
    createdOn: new Date(),
    tokensValidFrom: undefined,
    epoch: randomUUID(),
    intentId: randomUUID(),
  }
}

async function issueToken(): Promise<IssuedToken> {
  const token = randomBytes(tokenBytes).toString('base64url').slice(0, tokenBytes)
  return { token: JSON.parse(JSON.stringify(token)) as string, expiresOn: new Date(Date.now() + 86_400_000), key }
}
