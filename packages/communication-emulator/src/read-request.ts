import type { IncomingMessage } from 'node:http'
import type { RawRequest } from './raw-request.ts'

/** Larger bodies are rejected: the largest request of the identity routes has a few hundred bytes. */
const maxBodyBytes = 256 * 1024
/** Bytes of a larger body that are read and discarded, so that the client can read the response. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Reads a request with its body; undefined if the client disconnects before the end. */
export async function readRequest(request: IncomingMessage): Promise<RawRequest | undefined> {
  const { remoteAddress } = request.socket
  const body = await readBody(request)
  if (body === undefined) return undefined
  const target = request.url ?? '/'
  // A proxy may send the absolute form.
  const relative = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const [path = '', ...query] = relative.split('?')
  return {
    method: request.method ?? 'GET',
    target,
    path,
    query: new URLSearchParams(query.join('?')),
    headers: request.headers,
    body: body === 'too large' ? Buffer.alloc(0) : body,
    isBodyTooLarge: body === 'too large',
    remoteAddress,
  }
}

function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBodyBytes) chunks.push(chunk)
      else if (length > maxDrainedBytes) request.destroy()
    })
    request.on('end', () => resolve(length > maxBodyBytes ? 'too large' : Buffer.concat(chunks)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
}
