const maxLength = 200

/** Returns the first line of a message, at most 200 characters, without a full stop. */
export function toLine(message: string): string {
  return message.split('\n', 1)[0]!.slice(0, maxLength).replace(/\.$/, '')
}

/** Formats an error of a credential. Returns undefined for any other error. */
export function formatSignInError({ name, message }: Error): string | undefined {
  if (!/Authentication|Credential/.test(name)) return undefined
  return `not signed in to Azure: run \`az login\`: ${toLine(message)}`
}
