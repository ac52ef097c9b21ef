import type { FastifyRequest } from 'fastify'

/**
 * Revokes the tokens or deletes the identity of a user, and writes the audit line. Returns the status: 202 if the reaper has to
 * finish it. `by` is the administrator who requested it for the user.
 */
export async function remove(
  kind: 'revoke' | 'delete',
  { server, log }: Pick<FastifyRequest, 'server' | 'log'>,
  user: { readonly userKey: string; readonly by?: string },
): Promise<202 | 204> {
  const outcome = await server.identities.remover.start(kind, user.userKey)
  log.info({ audit: kind, ...user, outcome })
  return outcome === 'done' ? 204 : 202
}
