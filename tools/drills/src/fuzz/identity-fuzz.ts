import { wellKnownPublicClientId, wellKnownTenantId } from '@acs-kit/communication-emulator'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { findIdentityFlaw } from './documented-responses.ts'
import { fuzz, nameResponse, type FuzzOptions } from './fuzz.ts'
import { generatedRequest, type GeneratedRequest } from './generated-request.ts'
import { invalidSignatures, validSignatures } from './signatures.ts'

const maxBodyBytes = 256 * 1024
const exchangePath = /^\/access\/(\w+)\/:exchangeAccessToken$/

/** An Entra ID token, and the route under `/access` that exchanges it, if any. */
interface UserToken {
  readonly token: string
  readonly exchange?: 'teamsExtension' | 'entra' | undefined
}

/** Fuzzes the identity routes. Identities that are created serve later requests. */
export async function fuzzIdentityRoutes(
  emulator: EmulatorProcess,
  options: FuzzOptions,
): Promise<Map<string, number>> {
  const { client, host } = emulator
  const accessKey = emulator.accessKey!
  const keys = { primary: accessKey, secondary: await emulator.regenerateKey('secondary') }
  /** Existing or deleted ones. */
  const ids = new Set<string>()
  const addId = ({ text }: HttpResponse) => {
    const id = /"id":"(8:acs:[-0-9a-f_]+)"/.exec(text)?.[1]
    if (id !== undefined) ids.add(id)
  }
  const creation = { method: 'POST', path: '/identities?api-version=2023-10-01' }
  addId(await client.send({ ...creation, headers: signedHeaders({ ...creation, host, accessKey }) }))
  const userTokens = await signInUsers(emulator)
  const getUserToken = (pick: number) => userTokens[pick % userTokens.length]!
  let exchanges = 0
  /** Completes a generated request with an id, and with a signature or a user's token. */
  const toRequest = (generated: GeneratedRequest) => {
    const { method, query, body, isChunked, isIdEncoded, clientRequestId, pick } = generated
    const id = generated.toId([...ids][pick % ids.size]!, pick)
    const path = `${generated.path.replaceAll('{id}', () => (isIdEncoded ? encodeURIComponent(id) : id))}${query}`
    const authorization = exchangePath.test(generated.path) && { authorization: `Bearer ${getUserToken(pick).token}` }
    const sign = { ...validSignatures, ...invalidSignatures }[generated.signature]!
    const headers = {
      ...generated.headers,
      ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
      ...sign({ method, path, host, body }, keys),
      ...authorization,
    }
    return { method, path, body, headers, isChunked }
  }
  const responses = await fuzz(generatedRequest, options, client, toRequest, (response, request, generated) => {
    addId(response)
    const exchange = exchangePath.exec(generated.path)?.[1]
    if (exchange === undefined) return findFlaw(response, request, generated)
    const flaw = findIdentityFlaw(response, { isHead: request.method === 'HEAD' })
    if (flaw !== undefined || response.status !== 200) return flaw
    exchanges++
    return getUserToken(generated.pick).exchange === exchange ? undefined : 'exchanged a token that must be rejected'
  })
  return responses.set('exchanges', exchanges)
}

/** Assigns a user, and returns Entra ID tokens of which some can be exchanged. */
async function signInUsers(emulator: EmulatorProcess): Promise<UserToken[]> {
  const signIn = (body: object) =>
    emulator.administer<{ accessToken: string; oid: string }>('POST', 'entra/sign-in', body)
  const administrator = await signIn({ user: 'alice', audience: 'https://communication.azure.com' })
  const tenantId = wellKnownTenantId
  for (const path of [
    `/access/teamsExtension/tenants/${tenantId}/assignments/${administrator.oid}?api-version=2025-06-30`,
    `/access/entra/assignments/${administrator.oid}?api-version=2025-03-02-preview`,
  ]) {
    const headers = { authorization: `Bearer ${administrator.accessToken}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ tenantId, principalType: 'user', clientIds: [wellKnownPublicClientId] })
    await emulator.client.send({ method: 'PUT', path, headers, body })
  }
  const audiences = {
    teamsExtension: 'https://auth.msft.communication.azure.com',
    entra: 'https://communication.azure.com/clients',
  }
  const tokens: UserToken[] = [{ token: 'x' }]
  for (const [exchange, audience] of Object.entries(audiences) as ['teamsExtension' | 'entra', string][]) {
    tokens.push({ token: (await signIn({ user: 'alice', audience })).accessToken, exchange })
    tokens.push({ token: (await signIn({ user: 'bob', audience })).accessToken })
    tokens.push({ token: (await signIn({ user: 'alice', audience, scopes: ['unknown'] })).accessToken })
  }
  return tokens
}

function findFlaw(response: HttpResponse, request: HttpRequest, generated: GeneratedRequest): string | undefined {
  const { status, headers } = response
  const flaw = findIdentityFlaw(response, { isHead: request.method === 'HEAD' })
  if (flaw !== undefined || headers['ms-cv'] === undefined) return flaw
  if (Buffer.byteLength(generated.body) > maxBodyBytes)
    return status === 413 ? undefined : 'a body over the limit was accepted'
  const { signature, clientRequestId } = generated
  const isSigned = Object.hasOwn(validSignatures, signature)
  const isDenied = status === 401 && nameResponse(response) !== '401 IdentityNotOwned'
  // A generated Date header is the one that an older SDK signs.
  const isDateReplaced = signature === 'no date' && generated.headers['date'] !== undefined
  if (!isSigned && !isDenied && !isDateReplaced) return `the signature "${signature}" was accepted`
  if (isSigned && isDenied && request.method !== 'HEAD') return `the signature "${signature}" was rejected`
  // Beyond ASCII, client and server may use different encodings.
  const isEchoed = clientRequestId === undefined || headers['x-ms-client-request-id'] === clientRequestId
  return isEchoed || !/^[ -~]*$/.test(clientRequestId) ? undefined : 'the client request id is not in the response'
}
