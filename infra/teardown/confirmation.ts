import { createInterface } from 'node:readline/promises'

/** Returns whether the user confirms by typing the name of the stack. */
export async function confirmByName(
  stack: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
): Promise<boolean> {
  using lines = createInterface({ input, output })
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  lines.once('close', () => resolve(''))
  const answer = lines.question(`To destroy the stack, type its name, ${stack}: `)
  return (await Promise.race([answer, closed])).trim() === stack
}
