import { createInterface } from 'node:readline/promises'

/** Whether the person types the stack's name. */
export async function confirmByName(
  stack: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
): Promise<boolean> {
  using lines = createInterface({ input, output })
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.once('close', () => resolve(''))
  const answer = lines.question(`Type the stack's name, ${stack}, to destroy it: `)
  return (await Promise.race([answer, promise])).trim() === stack
}
