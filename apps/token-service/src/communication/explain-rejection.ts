import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import type { ProblemCode } from '@acs-kit/token-contract'
import { ProblemError } from '../problems/problem-error.ts'

/** Returns a handler that reports a request rejected by ACS as this problem, with the status and error code of ACS. */
export function explainRejection(code: ProblemCode): (error: unknown) => never {
  return (error) => {
    const isRejected = error instanceof CommunicationIdentityError && error.code === 'invalid-request'
    if (isRejected) throw new ProblemError(code, `Azure Communication Services: ${error.message}`)
    throw error
  }
}
