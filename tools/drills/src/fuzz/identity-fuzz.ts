import * as fc from 'fast-check'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { findIdentityFlaw, nameAnswer } from './documented-answers.ts'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { generatedRequest, validSignatures, type GeneratedRequest } from './generated-request.ts'
import { toWire, type Target } from './wire-request.ts'

export interface FuzzOptions {
  readonly requests: number
  readonly seed: number
}

/**
 * Sends generated requests to the identity routes, one after the other, and judges each answer. Throws with the request
 * that got a wrong one, and the seed that finds it again. Returns how often each answer was given.
 */
export async function fuzzIdentityRoutes(
  emulator: EmulatorProcess,
  { requests, seed }: FuzzOptions,
): Promise<Map<string, number>> {
  const { client, host } = emulator
  const accessKey = emulator.accessKey!
  const creation = { method: 'POST', path: '/identities?api-version=2023-10-01' }
  const created = await client.send({ ...creation, headers: signedHeaders({ ...creation, host, accessKey }) })
  const ids: string[] = []
  remember(created.text, ids)
  const target: Target = { host, primaryKey: accessKey, secondaryKey: await emulator.regenerateKey('secondary'), ids }
  const answers = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(generatedRequest, async (generated) => {
      const request = toWire(generated, target)
      const response = await client.send(request)
      remember(response.text, ids)
      const answer = nameAnswer(response)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      const flaw = findFlaw(generated, request, response)
      if (flaw !== undefined) throw new Error(`${flaw}: ${describe(request, response)}`)
    }),
    { numRuns: requests, seed, endOnFailure: true },
  )
  return answers
}

const maxBodyBytes = 256 * 1024

function findFlaw(generated: GeneratedRequest, request: HttpRequest, response: HttpResponse): string | undefined {
  const { status, headers } = response
  const flaw = findIdentityFlaw(response, { isHead: request.method === 'HEAD' })
  if (flaw !== undefined || headers['ms-cv'] === undefined) return flaw
  const isSigned = validSignatures.some((valid) => valid === generated.signature)
  // A Date of another header would be the one that an older SDK signs.
  const isDateReplaced = generated.signature === 'no date' && generated.headers['date'] !== undefined
  if (generated.body.length > maxBodyBytes) return status === 413 ? undefined : 'a body over the limit got through'
  const isDenied = status === 401 && nameAnswer(response) !== '401 IdentityNotOwned'
  if (!isSigned && !isDenied && !isDateReplaced) return `it got through with the signature ${generated.signature}`
  if (isSigned && isDenied && request.method !== 'HEAD')
    return `it was denied with the signature ${generated.signature}`
  const sent = generated.headers['x-ms-client-request-id']
  // Beyond ASCII the two ends may differ on the encoding.
  if (sent !== undefined && /^[ -~]*$/.test(sent) && headers['x-ms-client-request-id'] !== sent)
    return 'the client request id did not come back'
  return undefined
}

/** Identities that were created are there for later requests. */
function remember(text: string, ids: string[]): void {
  const id = /"id":"(8:acs:[-0-9a-f_]+)"/.exec(text)?.[1]
  if (id !== undefined && !ids.includes(id)) ids.push(id)
}

function describe(
  { method, path, headers, body }: HttpRequest,
  { status, headers: answered, text }: HttpResponse,
): string {
  const sent = Buffer.from(body ?? '')
    .toString('latin1')
    .slice(0, 500)
  return `${method} ${path} ${JSON.stringify(headers)} ${JSON.stringify(sent)}\n${status} ${JSON.stringify(answered)} ${text}`
}
