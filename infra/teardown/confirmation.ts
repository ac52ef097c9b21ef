import { createInterface } from 'node:readline/promises'

export interface Terminal {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

export interface Confirmation {
  /** What the user confirms, such as `destroy the stack`. */
  readonly purpose: string
  /** Whether the user has confirmed it with `--yes`. */
  readonly isConfirmed: boolean | undefined
}

/** Returns whether the user of the command confirms. Rejects if it has no terminal to ask in. */
export async function confirm(stack: string, { purpose, isConfirmed = false }: Confirmation): Promise<boolean> {
  if (isConfirmed) return true
  if (process.stdin.isTTY) return confirmByName(stack, purpose, { input: process.stdin, output: process.stdout })
  throw new Error('cannot ask for confirmation, stdin is not a terminal: pass --yes (nothing was changed)')
}

/** Returns whether the user confirms by typing the name of the stack. */
export async function confirmByName(stack: string, purpose: string, { input, output }: Terminal): Promise<boolean> {
  using lines = createInterface({ input, output })
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  lines.once('close', () => resolve(''))
  const answer = lines.question(`To ${purpose}, type its name, ${stack}: `)
  return (await Promise.race([answer, closed])).trim() === stack
}
