import pino, { type DestinationStream, type Logger } from 'pino'

/** Lines wait for this many bytes, or a second, before they are written: a write for each would cost a fifth of the speed. */
const bufferBytes = 8 * 1024

/** Standard output, in a buffer. */
export function openLogDestination() {
  return pino.destination({ dest: 1, minLength: bufferBytes, periodicFlush: 1000, sync: false })
}

/** Empties the buffer. Where nobody reads any more it gives up: `flushSync`, also pino's own at the end, would try for ever. */
export async function flush(destination: ReturnType<typeof openLogDestination>): Promise<void> {
  await new Promise<void>((resolve) => destination.flush(() => resolve()))
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
