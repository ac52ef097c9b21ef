const jwt = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/

// So much of a key is enough to call it shown: messages cut long texts.
const tellingLength = 24

/** Names what of the given keys, and what token of anybody, a text shows. */
export function findSecrets(text: string, keys: Readonly<Record<string, string>>): string[] {
  const shown = Object.entries(keys)
    .filter(([, key]) => {
      const head = key.slice(0, tellingLength)
      const bytes = Buffer.from(key, 'base64')
      const forms = [head, encodeURIComponent(head), bytes.toString('base64url').slice(0, tellingLength)]
      return [...forms, bytes.toString('hex').slice(0, tellingLength)].some((form) => text.includes(form))
    })
    .map(([name]) => name)
  return jwt.test(text) ? [...shown, 'a token'] : shown
}

const issuedLine = /^(Issued a access token with '\w+' scope for identity with ID: \S+:\n)(eyJ\S+)$/gm

/** The quickstart's transcript shows two tokens on purpose: takes them out, and returns them apart. */
export function separateIssuedTokens(transcript: string): { tokens: string[]; rest: string } {
  return {
    tokens: [...transcript.matchAll(issuedLine)].map((match) => match[2]!),
    rest: transcript.replaceAll(issuedLine, '$1'),
  }
}
