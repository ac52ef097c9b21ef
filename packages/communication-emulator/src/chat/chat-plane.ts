import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { ChatError } from './chat-error.ts'
import type { ChatAuthentication } from './chat-user.ts'

/** Operations of the chat routes. */
export const chatOperations = [] as const

export type ChatPlane = ReturnType<typeof createChatPlane>

/** Creates the handler of the chat routes, which authenticates users and passes their requests to the operations. */
export function createChatPlane({ authenticate: _ }: { authenticate: ChatAuthentication }) {
  function getOperation(_request: RawRequest): string | undefined {
    return undefined
  }

  async function handle(_request: RawRequest, _resource: Resource): Promise<RawResponse> {
    throw new ChatError(404, 'NotFound')
  }

  return { getOperation, handle }
}
