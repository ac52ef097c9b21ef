import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import pino, { type DestinationStream, type Logger } from 'pino'
import { ProblemError } from './problem-error.ts'

/** Lines wait for this many bytes, or a second, before they are written: a write for each would cost a fifth of the speed. */
const bufferBytes = 8 * 1024
/** More causes or stack frames of an error are not logged. */
const maxDepth = 10
/** Error codes are shorter than keys, signatures and tokens. */
const errorCode = /^[\w-]{1,40}$/

const frame = /^ {4}at (?:[^()]* \()?(?:file:\/\/|node:|\/|[A-Z]:\\)[^()]*:\d+:\d+\)?$/

/** Standard output, in a buffer. */
export function openLogDestination() {
  return pino.destination({ dest: 1, minLength: bufferBytes, periodicFlush: 1000, sync: false })
}

/** Empties the buffer. Where nobody reads any more it gives up: `flushSync`, also pino's own at the end, would try for ever. */
export async function flush(destination: ReturnType<typeof openLogDestination>): Promise<void> {
  await new Promise<void>((resolve) => destination.flush(() => resolve()))
}

/**
 * JSON lines. Requests are never logged, and of an error only its codes, where it was thrown, and our own words: any other
 * message may repeat a request, credentials included.
 */
export function createLog(level: string, destination: DestinationStream): Logger {
  const serializers = { err: (error: unknown) => describe(error), req: () => undefined, res: () => undefined }
  return pino({ level, base: null, serializers, hooks: { logMethod } }, destination)
}

/** Without words of ours, pino and Fastify take those of the error. */
function logMethod(this: Logger, args: Parameters<pino.LogFn>, method: pino.LogFn): void {
  const [first, words] = args as unknown[]
  const error = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err
  const hasOwnWords = !(error instanceof Error) || (words !== undefined && words !== error.message)
  method.apply(this, hasOwnWords ? args : [{ ...(first !== error && (first as object)), err: error }, 'an error'])
}

function describe(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const isOurs = error instanceof ProblemError || error instanceof CommunicationIdentityError
  return {
    name: error.name,
    ...(isOurs && { message: withoutUrlSecrets(error.message) }),
    ...(isErrorCode(code) && { code }),
    ...(typeof statusCode === 'number' && { statusCode }),
    // With a status, what comes before the frames is the text of a response.
    ...(!isOurs && statusCode === undefined && { stack: framesOf(error) }),
    ...(error.cause !== undefined && depth < maxDepth && { cause: describe(error.cause, depth + 1) }),
  }
}

function isErrorCode(code: unknown): boolean {
  return typeof code === 'string' && errorCode.test(code)
}

/** Frames that name a file. The message comes before them, and may look like some. */
function framesOf({ stack = '', message }: Error): string[] {
  const lines = stack.replace(message, '').split('\n')
  const end = lines.findLastIndex((line) => !line.startsWith('    at '))
  return lines
    .slice(end + 1)
    .filter((line) => frame.test(line))
    .slice(0, maxDepth)
    .map((line) => line.trim())
}

/** Leaves out user name, password, query and fragment of URLs. */
function withoutUrlSecrets(text: string): string {
  return text.replaceAll(/https?:\/\/\S+/gi, (url) => url.replace(/[?#].*/, '').replace(/\/\/[^/]*@/, '//'))
}
