import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { findIdentityFlaw } from './documented-responses.ts'
import { fuzz, nameResponse, type FuzzOptions } from './fuzz.ts'
import { generatedRequest, type GeneratedRequest } from './generated-request.ts'
import { toHttpRequest } from './http-request.ts'
import { isValidSignature } from './signatures.ts'

const maxBodyBytes = 256 * 1024

/** Fuzzes the identity routes. Identities that are created serve later requests. */
export async function fuzzIdentityRoutes(
  emulator: EmulatorProcess,
  options: FuzzOptions,
): Promise<Map<string, number>> {
  const { client, host } = emulator
  const accessKey = emulator.accessKey!
  const ids: string[] = []
  const addId = ({ text }: HttpResponse) => {
    const id = /"id":"(8:acs:[-0-9a-f_]+)"/.exec(text)?.[1]
    if (id !== undefined && !ids.includes(id)) ids.push(id)
  }
  const creation = { method: 'POST', path: '/identities?api-version=2023-10-01' }
  addId(await client.send({ ...creation, headers: signedHeaders({ ...creation, host, accessKey }) }))
  const target = { host, keys: { primary: accessKey, secondary: await emulator.regenerateKey('secondary') }, ids }
  return fuzz(generatedRequest, options, {
    client,
    toRequest: (generated) => toHttpRequest(generated, target),
    findFlaw: (response, request, generated) => {
      addId(response)
      return findFlaw(response, request, generated)
    },
  })
}

function findFlaw(response: HttpResponse, request: HttpRequest, generated: GeneratedRequest): string | undefined {
  const { status, headers } = response
  const flaw = findIdentityFlaw(response, { isHead: request.method === 'HEAD' })
  if (flaw !== undefined || headers['ms-cv'] === undefined) return flaw
  if (generated.body.length > maxBodyBytes) return status === 413 ? undefined : 'a body over the limit was accepted'
  const isSigned = isValidSignature(generated.signature)
  const isDenied = status === 401 && nameResponse(response) !== '401 IdentityNotOwned'
  // A generated Date header is the one that an older SDK signs.
  const isDateReplaced = generated.signature === 'no date' && generated.headers['date'] !== undefined
  if (!isSigned && !isDenied && !isDateReplaced) return `the signature "${generated.signature}" was accepted`
  if (isSigned && isDenied && request.method !== 'HEAD') return `the signature "${generated.signature}" was rejected`
  const requestId = generated.headers['x-ms-client-request-id']
  // Beyond ASCII, client and server may use different encodings.
  const isEchoed = requestId === undefined || headers['x-ms-client-request-id'] === requestId
  return isEchoed || !/^[ -~]*$/.test(requestId) ? undefined : 'the client request id is not in the response'
}
