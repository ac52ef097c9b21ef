import type { RawResponse } from '../raw-request.ts'

// guess(entra-errors): the codes of RFC 6749 with the best-fitting numbers of Entra ID; the texts are the emulator's.
/** Error of a sign-in in the format of Entra ID: RFC 6749 with a number. */
export class OAuthError extends Error {
  readonly error: string
  readonly status: number
  readonly #number: number

  constructor(error: string, number: number, description: string, status = 400) {
    super(`AADSTS${number}: ${description}`)
    this.error = error
    this.status = status
    this.#number = number
  }

  toResponse(): RawResponse {
    return {
      status: this.status,
      headers: { 'Cache-Control': 'no-store' },
      body: { error: this.error, error_description: this.message, error_codes: [this.#number] },
      explanation: { error: this.error, message: this.message },
    }
  }
}
