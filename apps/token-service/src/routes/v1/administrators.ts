import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../../problems/problem-error.ts'

/** Hook of the routes for administrators: rejects other users. */
export async function requireAdministrator({ principal }: FastifyRequest): Promise<void> {
  if (principal.isAdmin) return
  throw new ProblemError(
    'permission-missing',
    "The token lacks the administrators' app role. Assign the role to the user and sign in again.",
  )
}
