import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import * as fc from 'fast-check'
import { HttpClient, type HttpRequest, type HttpResponse } from '@acs-kit/test-support/http-client'
import { generatedRequest, validSignIns, type GeneratedRequest, type SignInKind } from './contract-request.ts'
import { findAnswerFlaw, findOperation } from './contract.ts'
import { DrillStage } from './drill-stage.ts'

const long = 'x'.repeat(20_000)

/**
 * Sends requests made from the OpenAPI document to the token service, one after the other. Throws with the one that got an
 * answer that the document does not have, or that let in whom it should not. Returns how often each answer was given.
 */
export async function drillContractFuzz({ requests, seed }: { requests: number; seed: number }) {
  await using stage = await DrillStage.start()
  await using stranger = await SignInIssuer.start()
  const { issuer } = stage.stack.issuer
  const { client: users, server } = await stage.startInstance({
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer, audience, required: 'access_as_user', admin: 'admin' }]),
    TEAMS_CLIENT_ID: '00000000-0000-0000-0000-000000000000',
  })
  using client = new HttpClient(Number(new URL(users.address).port))
  const authorizations = await signAll(stage.stack.issuer, stranger)
  const answers = new Map<string, number>()
  let known = await makeUser(client, authorizations.get('admin')!)
  await fc.assert(
    fc.asyncProperty(generatedRequest, async (generated) => {
      const request = toWire(generated, known, authorizations)
      const response = await client.send(request)
      known = findUserKey(response.text) ?? known
      const answer = nameAnswer(response)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      if (response.status >= 400) users.refusals.push(response.text)
      const flaw = findFlaw(generated, request, response)
      if (flaw !== undefined) throw new Error(`${flaw}: ${describe(generated, request, response)}`)
    }),
    { numRuns: requests, seed, endOnFailure: true },
  )
  const failure = server.stdout.split('\n').find((line) => /"level":[56]0/.test(line)) ?? server.stderr
  if (failure !== '') throw new Error(`the service printed ${failure}`)
  stage.checkSecrets()
  return Object.fromEntries([...answers].toSorted(([one], [other]) => one.localeCompare(other)))
}

/** Returns the key of a user who has an identity. */
async function makeUser(client: HttpClient, authorization: string): Promise<string> {
  await client.send({ method: 'POST', path: '/v1/token', headers: { authorization } })
  const { text } = await client.send({ method: 'GET', path: '/v1/users', headers: { authorization } })
  return findUserKey(text)!
}

function findUserKey(text: string): string | undefined {
  return /"userKey":"([^"]+)"/.exec(text)?.[1]
}

function findFlaw(generated: GeneratedRequest, request: HttpRequest, response: HttpResponse): string | undefined {
  const { method, path } = request
  const { status } = response
  // What browsers ask first has no body in either direction.
  if (method === 'OPTIONS' && status === 204) return undefined
  const operation = findOperation(method, path)
  const flaw = findAnswerFlaw(response, operation, { isHead: method === 'HEAD' })
  if (flaw !== undefined || operation === undefined) return flaw
  const isSignedIn = validSignIns.some((kind) => kind === generated.signIn)
  const isServed = status < 400
  if (operation.isSignedIn && !isSignedIn) return isServed ? `the sign-in “${generated.signIn}” let it in` : undefined
  if (isServed && operation.body && !operation.fitsBody(parse(request.body)))
    return 'a body that does not fit was served'
  // Only the service knows which cursor there is.
  const isOpaque = generated.query.includes('cursor=')
  const code = nameAnswer(response)
  if (generated.isDocumented && !isOpaque && /request-invalid|scope-unknown|40[15]|413|415/.test(code)) {
    return 'a documented request was refused'
  }
  return undefined
}

function toWire(
  { method, path, query, headers, body, isChunked, signIn }: GeneratedRequest,
  known: string,
  authorizations: ReadonlyMap<SignInKind, string>,
): HttpRequest {
  const authorization = authorizations.get(signIn)
  return {
    method,
    path: `${path.replace('{known}', known)}${query}`,
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('{long}', long)])),
      ...(authorization !== undefined && { authorization }),
    },
    body,
    isChunked,
  }
}

async function signAll(issuer: SignInIssuer, stranger: SignInIssuer): Promise<ReadonlyMap<SignInKind, string>> {
  const now = Math.floor(Date.now() / 1000)
  const user = await issuer.sign()
  const [, claims] = user.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  return new Map<SignInKind, string>([
    ['user', `Bearer ${user}`],
    ['guest', `Bearer ${await issuer.sign({ sub: 'guest', roles: ['guest'] })}`],
    ['admin', `Bearer ${await issuer.sign({ sub: 'admin', roles: ['admin'] })}`],
    ['expired', `Bearer ${await issuer.sign({ exp: now - 60 })}`],
    ['early', `Bearer ${await issuer.sign({ nbf: now + 3600 })}`],
    ['other audience', `Bearer ${await issuer.sign({ aud: 'api://other' })}`],
    ['other issuer', `Bearer ${await stranger.sign()}`],
    ['other key', `Bearer ${await stranger.sign({ iss: issuer.issuer })}`],
    ['unsigned', `Bearer ${none}.${claims}.`],
    ['without permission', `Bearer ${await issuer.sign({ scp: 'other', roles: ['admin'] })}`],
    ['basic', `Basic ${Buffer.from('alice:secret').toString('base64')}`],
    ['garbage', 'Bearer abc'],
  ])
}

/** Status, and the code of a refusal. */
function nameAnswer({ status, text }: HttpResponse): string {
  const code = /"code":"([a-z-]+)"/.exec(text)?.[1]
  return code === undefined ? String(status) : `${status} ${code}`
}

function parse(body: HttpRequest['body']): unknown {
  // A byte order mark may be ignored: RFC 8259, section 8.1.
  const text = Buffer.from(body ?? '')
    .toString()
    .replace(/^\ufeff/, '')
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe({ signIn }: GeneratedRequest, { method, path, headers, body }: HttpRequest, response: HttpResponse) {
  const { authorization: _, ...rest } = { ...headers }
  const sent = Buffer.from(body ?? '')
    .toString('latin1')
    .slice(0, 500)
  return `${signIn}: ${method} ${path} ${JSON.stringify(rest)} ${JSON.stringify(sent)}\n${response.status} ${JSON.stringify(response.headers)} ${response.text.slice(0, 500)}`
}
