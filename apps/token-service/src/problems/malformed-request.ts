import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problemMediaType } from '@acs-kit/token-contract'
import type { ConnectionError, FastifyBaseLogger } from 'fastify'
import { ProblemError } from './problem-error.ts'
import { toBody } from './problem-response.ts'

/** Responds to a request that Node could not parse: Fastify's `clientErrorHandler`. */
export function rejectMalformedRequest(
  log: FastifyBaseLogger,
  requestId: string,
  error: ConnectionError,
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const problem = toProblem(error)
  log.info({ reqId: requestId, code: problem.code, address: socket.remoteAddress }, 'rejected a malformed request')
  const body = JSON.stringify(toBody(problem, requestId))
  const { statusCode } = problem
  socket.write(
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nContent-Type: ${problemMediaType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Closes the connection even if the client never closes its half.
  socket.destroySoon()
}

function toProblem({ code }: ConnectionError): ProblemError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError('request-timeout')
    case 'HPE_HEADER_OVERFLOW':
      return new ProblemError(
        'headers-too-large',
        `Path and headers are too large. Shorten them to ${maxHeaderSize} bytes.`,
      )
    default:
      return new ProblemError('request-invalid', 'Malformed HTTP request.')
  }
}
