import { parseJson } from '@acs-kit/service-settings'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { audience } from '@acs-kit/test-support/sign-in-issuer'
import { fuzz, nameResponse, type FuzzOptions } from '../fuzz/fuzz.ts'
import { findOperation, findResponseFlaw } from './contract.ts'
import { generatedRequest, type GeneratedRequest } from './generated-request.ts'
import { ServiceHarness } from './service-harness.ts'
import { createAuthorizations, validSignIns } from './sign-ins.ts'

const guid = '00000000-0000-0000-0000-000000000000'

/**
 * Fuzzes the token service with requests generated from the OpenAPI document. Throws if a response is not documented or if an
 * invalid sign-in is accepted. Returns how often each response occurred.
 */
export async function runContractFuzzDrill(options: FuzzOptions): Promise<Record<string, number>> {
  await using harness = await ServiceHarness.start()
  const { issuer } = harness.backend
  const { client, server } = await harness.startInstance({
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience, required: 'access_as_user', admin: 'admin' }]),
    TEAMS_CLIENT_ID: guid,
    TEAMS_EXTENSION: JSON.stringify({ tenantId: guid, clientIds: [guid] }),
  })
  const authorizations = await createAuthorizations(issuer)
  await client.token('admin')
  let knownUser = findUserKey((await client.call('GET /v1/users', 'admin')).text)!
  const toRequest = ({ path, query, headers, signIn, ...rest }: GeneratedRequest) => {
    const authorization = authorizations.get(signIn)
    return {
      ...rest,
      path: `${path.replace('{known}', knownUser)}${query}`,
      headers: authorization === undefined ? headers : { ...headers, authorization },
    }
  }
  const responses = await fuzz(generatedRequest, options, client.http, toRequest, (response, request, generated) => {
    knownUser = findUserKey(response.text) ?? knownUser
    if (response.status >= 400) client.errorBodies.push(response.text)
    return findFlaw(response, request, generated)
  })
  const failure = server.stdout.split('\n').find((line) => /"level":[56]0/.test(line)) ?? server.stderr
  if (failure !== '') throw new Error(`the service logged a failure: ${failure}`)
  harness.checkSecrets()
  return Object.fromEntries([...responses].toSorted(([one], [other]) => one.localeCompare(other)))
}

function findUserKey(text: string): string | undefined {
  return /"userKey":"([^"]+)"/.exec(text)?.[1]
}

function findFlaw(response: HttpResponse, request: HttpRequest, generated: GeneratedRequest): string | undefined {
  const { method, path } = request
  const { status } = response
  // A CORS preflight has no body in either direction.
  if (method === 'OPTIONS' && status === 204) return undefined
  const operation = findOperation(method, path)
  const flaw = findResponseFlaw(response, operation, { isHead: method === 'HEAD' })
  if (flaw !== undefined || operation === undefined) return flaw
  const isServed = status < 400
  if (operation.isSignedIn && !Object.hasOwn(validSignIns, generated.signIn))
    return isServed ? `the sign-in "${generated.signIn}" was accepted` : undefined
  const isInvalid = operation.bodyValidator?.Check(parseBody(request.body)) === false
  if (isServed && isInvalid) return 'an invalid body was accepted'
  // Only the service knows valid cursors.
  const isVerifiable = generated.isUsual && !generated.query.includes('cursor=')
  const isRejected = /request-invalid|scope-unknown|40[15]|413|415/.test(nameResponse(response))
  return isVerifiable && isRejected ? 'a documented request was rejected' : undefined
}

/** Parses a body as the service does: a byte order mark may be ignored (RFC 8259, section 8.1), and no body is an empty object. */
function parseBody(body: HttpRequest['body']): unknown {
  const text = Buffer.from(body ?? '')
    .toString()
    .replace(/^\ufeff/, '')
  return text === '' ? {} : parseJson(text)
}
