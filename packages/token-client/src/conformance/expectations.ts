import type { ProblemCode } from '../contract.ts'

export interface ServiceResponse {
  /** Method and path of the request. */
  readonly route: string
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

interface Problem {
  readonly status?: unknown
  readonly code?: unknown
}

/** Throws unless the values are equal. Names the route if the value is of a response, and its problem code next to a status. */
export function expectEqual(what: string, actual: unknown, expected: unknown, response?: ServiceResponse): void {
  if (actual === expected) return
  const { code } = (response?.body ?? {}) as Problem
  const reason = what === 'status' && code !== undefined ? ` with code ${JSON.stringify(code)}` : ''
  const subject = response ? `${response.route}: ` : ''
  throw new Error(`${subject}expected ${what} ${String(expected)}, got ${JSON.stringify(actual)}${reason}`)
}

export function expectThat(isMet: boolean, what: string): void {
  if (!isMet) throw new Error(`expected ${what}`)
}

export function expectProblem(response: ServiceResponse, status: number, code: ProblemCode): void {
  expectEqual('status', response.status, status, response)
  const type = response.headers.get('Content-Type')?.split(';')[0]!.trim()
  expectEqual('Content-Type', type, 'application/problem+json', response)
  const problem = (response.body ?? {}) as Problem
  expectEqual('code', problem.code, code, response)
  expectEqual('status in the body', problem.status, status, response)
}

/** Throws unless a revocation or deletion is done, or accepted for later. */
export function expectCompletion(response: ServiceResponse): void {
  if (response.status !== 204 && response.status !== 202) expectEqual('status', response.status, '204 or 202', response)
}
