import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { signedHeaders } from '@acs-kit/test-support/signed-request'

const mebibyte = 1024 * 1024

/** Sends bodies that are far too large, `each` of every kind. Throws unless each is rejected; the connection of an endless one may be reset. */
export async function sendLargeBodies({ client, host, accessKey }: EmulatorProcess, each: number): Promise<void> {
  const request = { method: 'POST', path: '/identities?api-version=2023-10-01' }
  await Promise.all(
    [false, true].flatMap((isChunked) =>
      Array.from({ length: each }, async () => {
        const body = Buffer.alloc(mebibyte, ' ')
        const headers = signedHeaders({ ...request, host, accessKey: accessKey!, body })
        const { status } = await client.send({ ...request, headers, body, isChunked })
        if (status !== 413) throw new Error(`a body of 1 MiB got the status ${status}, expected 413`)
      }),
    ),
  )
  const endless = client.send({ ...request, body: Buffer.alloc(20 * mebibyte, ' '), isChunked: true })
  const outcome = await endless.then(
    ({ status }) => status,
    () => 'reset' as const,
  )
  if (outcome !== 'reset' && outcome !== 413)
    throw new Error(`a body of 20 MiB got the status ${outcome}, expected 413`)
}
