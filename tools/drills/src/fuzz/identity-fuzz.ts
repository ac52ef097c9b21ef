import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { findIdentityFlaw } from './documented-responses.ts'
import { fuzz, nameResponse, type FuzzOptions } from './fuzz.ts'
import { generatedRequest, type GeneratedRequest } from './generated-request.ts'
import { invalidSignatures, validSignatures } from './signatures.ts'

const maxBodyBytes = 256 * 1024

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
  /** Completes a generated request with an id and a signature. */
  const toRequest = (generated: GeneratedRequest) => {
    const { method, query, body, isChunked, isIdEncoded, clientRequestId, pick } = generated
    const id = generated.toId([...ids][pick % ids.size]!, pick)
    const path = `${generated.path.replaceAll('{id}', () => (isIdEncoded ? encodeURIComponent(id) : id))}${query}`
    const sign = { ...validSignatures, ...invalidSignatures }[generated.signature]!
    const headers = {
      ...generated.headers,
      ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
      ...sign({ method, path, host, body }, keys),
    }
    return { method, path, body, headers, isChunked }
  }
  return fuzz(generatedRequest, options, client, toRequest, (response, request, generated) => {
    addId(response)
    return findFlaw(response, request, generated)
  })
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
