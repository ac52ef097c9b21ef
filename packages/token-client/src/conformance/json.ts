/** Parses JSON. Returns undefined for other text, which the engine's own error would repeat and which may contain a token. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
