/**
 * Parses JSON without throwing.
 *
 * @param text Text that may not be JSON.
 * @returns The value, or undefined if the text is not JSON.
 * @example
 * parseJson('[1') // undefined
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
