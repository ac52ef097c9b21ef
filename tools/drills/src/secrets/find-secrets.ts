const jwt = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/

// Messages shorten long texts, so this much of a key counts as shown.
const minShownLength = 24

/** Returns the names of the given keys that a text contains, and 'a token' if it contains any token. */
export function findSecrets(text: string, keys: Readonly<Record<string, string>>): string[] {
  const shown = Object.entries(keys)
    .filter(([, key]) => {
      const head = key.slice(0, minShownLength)
      const bytes = Buffer.from(key, 'base64')
      const forms = [head, encodeURIComponent(head), bytes.toString('base64url').slice(0, minShownLength)]
      return [...forms, bytes.toString('hex').slice(0, minShownLength)].some((form) => text.includes(form))
    })
    .map(([name]) => name)
  return jwt.test(text) ? [...shown, 'a token'] : shown
}

const issuedLine = /^(Issued a access token with '\w+' scope for identity with ID: \S+:\n)(eyJ\S+)$/gm

/** Separates the two tokens that the quickstart's transcript shows on purpose from the rest. */
export function separateIssuedTokens(transcript: string): { tokens: string[]; rest: string } {
  return {
    tokens: [...transcript.matchAll(issuedLine)].map((match) => match[2]!),
    rest: transcript.replaceAll(issuedLine, '$1'),
  }
}
