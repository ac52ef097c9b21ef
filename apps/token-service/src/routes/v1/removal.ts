import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Returns a handler that revokes the tokens or deletes the identity of the signed-in user, or of the user whom an administrator
 * names in the path. Responds with 202 if the reaper has to finish it.
 */
export function createRemoval(kind: 'revoke' | 'delete') {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<null> => {
    const by = request.principal.userKey
    const { userKey } = request.params as { readonly userKey?: string }
    const user = userKey === undefined ? { userKey: by } : { userKey, by }
    const outcome = await request.server.identities.remover.start(kind, user.userKey)
    request.log.info({ audit: kind, ...user, outcome })
    reply.code(outcome === 'done' ? 204 : 202)
    return null
  }
}
