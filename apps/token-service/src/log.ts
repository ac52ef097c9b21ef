import pino, { type DestinationStream, type Logger } from 'pino'

/** Lines wait for this many bytes, or a second, before they are written: a write for each would cost a fifth of the speed. */
const bufferBytes = 8 * 1024

/** Standard output, in a buffer that `flushSync` empties. */
export function openLogDestination() {
  return pino.destination({ dest: 1, minLength: bufferBytes, periodicFlush: 1000, sync: false })
}

/** JSON lines. Requests are never logged whole, and of an error only what cannot hold a header or a body. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, serializers: { err: describe } }, destination)
}

function describe(error: unknown): object {
  if (!(error instanceof Error)) return { message: typeof error }
  const { name, message, stack, cause } = error
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  return {
    name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof statusCode === 'number' && { statusCode }),
    stack,
    ...(cause !== undefined && { cause: describe(cause) }),
  }
}
