import { ResponseError } from '../error-response.ts'

// guess(entra-errors): the codes of RFC 6749 with the best-fitting numbers of Entra ID; the texts are the emulator's.
/** Error of a sign-in in the format of Entra ID: RFC 6749 with a number. */
export class OAuthError extends ResponseError {
  readonly error: string

  constructor(error: string, number: number, description: string, status = 400) {
    const message = `AADSTS${number}: ${description}`
    super(message, {
      status,
      headers: { 'Cache-Control': 'no-store' },
      body: { error, error_description: message, error_codes: [number] },
      explanation: { error, message },
    })
    this.error = error
  }
}
