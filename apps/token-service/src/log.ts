import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import pino, { type BaseLogger, type DestinationStream, type Logger } from 'pino'
import { ProblemError } from './problems/problem-error.ts'

/** Buffer size. Lines are written when it is full or after a second: writing each one would cost a fifth of the throughput. */
const bufferBytes = 8 * 1024
/** Maximum number of causes and of stack frames of an error. */
const maxDepth = 10
/** Accepts error codes, which are shorter than keys, signatures and tokens. */
const errorCode = /^[\w-]{1,40}$/

/** The part of a logger that the service's classes use. */
export type Log = Pick<BaseLogger, 'info' | 'warn'>

const frame = /^ {4}at (?:[^()]* \()?(?:file:\/\/|node:|\/|[A-Z]:\\)[^()]*:\d+:\d+\)?$/

/** Opens standard output with a buffer. Does not wait for the reader: one that stops reading would also stop the service. */
export function openLogDestination(): ReturnType<typeof pino.destination> {
  return pino.destination({ dest: 1, minLength: bufferBytes, periodicFlush: 1000, sync: false })
}

/** Writes the buffer. Gives up if the reader has closed the pipe, unlike `flushSync`, which would retry endlessly. */
export async function flush(destination: ReturnType<typeof openLogDestination>): Promise<void> {
  await new Promise<void>((resolve) => destination.flush(() => resolve()))
}

/**
 * Creates a logger of JSON lines. Omits requests, and messages of errors other than our own, which may repeat a request with its
 * credentials: logs their codes and stack frames.
 */
export function createLog(level: string, destination: DestinationStream): Logger {
  const serializers = { err: (error: unknown) => serializeError(error), req: () => undefined, res: () => undefined }
  return pino({ level, base: null, serializers, hooks: { logMethod } }, destination)
}

/** Replaces the error's message, which pino and Fastify log by default. */
function logMethod(this: Logger, args: Parameters<pino.LogFn>, method: pino.LogFn): void {
  const [first, message] = args as unknown[]
  const error = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err
  const hasOwnMessage = !(error instanceof Error) || (message !== undefined && message !== error.message)
  method.apply(this, hasOwnMessage ? args : [{ ...(first !== error && (first as object)), err: error }, 'error'])
}

function serializeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const isOurs = error instanceof ProblemError || error instanceof CommunicationIdentityError
  return {
    name: error.name,
    ...(isOurs && { message: withoutUrlSecrets(error.message) }),
    ...(typeof code === 'string' && errorCode.test(code) && { code }),
    ...(typeof statusCode === 'number' && { statusCode }),
    // The stack of an error with a status begins with the text of a response.
    ...(!isOurs && statusCode === undefined && { stack: getFrames(error) }),
    ...(error.cause !== undefined && depth < maxDepth && { cause: serializeError(error.cause, depth + 1) }),
  }
}

/** Returns the frames that name a file. The message precedes them and may look like frames. */
function getFrames({ stack = '', message }: Error): string[] {
  const lines = stack.replace(message, '').split('\n')
  const end = lines.findLastIndex((line) => !line.startsWith('    at '))
  return lines
    .slice(end + 1)
    .filter((line) => frame.test(line))
    .slice(0, maxDepth)
    .map((line) => line.trim())
}

/** Omits user name, password, query and fragment of URLs. */
function withoutUrlSecrets(text: string): string {
  return text.replaceAll(/https?:\/\/\S+/gi, (url) => url.replace(/[?#].*/, '').replace(/\/\/[^/]*@/, '//'))
}
