import type { RawResponse } from '../raw-request.ts'

// guess(entra-errors): the codes of RFC 6749 and the numbers of Entra ID's that fit best; the words are the emulator's.
/** A refusal in the form of Entra ID's sign-in: RFC 6749 with a number. */
export class OAuthError extends Error {
  readonly error: string
  readonly status: number

  constructor(error: string, number: number, description: string, status = 400) {
    super(`AADSTS${number}: ${description}`)
    this.error = error
    this.status = status
  }

  toResponse(): RawResponse {
    const number = Number(/\d+/.exec(this.message)![0])
    return {
      status: this.status,
      headers: { 'Cache-Control': 'no-store' },
      body: { error: this.error, error_description: this.message, error_codes: [number] },
      explanation: { error: this.error, message: this.message },
    }
  }
}
