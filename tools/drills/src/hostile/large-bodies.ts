import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { signedHeaders } from '@acs-kit/test-support/signed-request'

const megabyte = 1024 * 1024

/** Bodies far beyond any real one, signed and unsigned. Throws unless each is refused, or cut off where it has no end. */
export async function sendLargeBodies(
  { client, host, accessKey }: EmulatorProcess,
  { each }: { each: number },
): Promise<void> {
  const request = { method: 'POST', path: '/identities?api-version=2023-10-01' }
  await Promise.all(
    [false, true].flatMap((isChunked) =>
      Array.from({ length: each }, async () => {
        const body = Buffer.alloc(megabyte, ' ')
        const headers = signedHeaders({ ...request, host, accessKey: accessKey!, body })
        const { status } = await client.send({ ...request, headers, body, isChunked })
        if (status !== 413) throw new Error(`a body of a megabyte was answered ${status}`)
      }),
    ),
  )
  const endless = client.send({ ...request, body: Buffer.alloc(20 * megabyte, ' '), isChunked: true })
  const outcome = await endless.then(
    ({ status }) => status,
    () => 'cut off' as const,
  )
  if (outcome !== 'cut off' && outcome !== 413) throw new Error(`a body of twenty megabytes was answered ${outcome}`)
}
