import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { useEmulator } from './emulator-fixture.ts'
import { exchange, send, type WireResponse } from './signed-request.ts'
import type { EmulatorOptions } from '../src/index.ts'

/** A user of chat, with an SDK client and raw requests. */
export interface ChatPerson {
  readonly id: string
  readonly token: string
  readonly client: ChatClient
  /** Sends a request with the user's token; `target` follows `/chat/threads`. */
  call(method: string, target: string, body?: unknown, options?: CallOptions): Promise<WireResponse>
}

interface CallOptions {
  /** Default: the newest one. */
  readonly version?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Starts an emulator for the tests of a file, with users of chat. */
export function useChat(options: EmulatorOptions = {}) {
  const fixture = useEmulator(options)

  /** Creates a user with a token, by default of the default resource. */
  async function createPerson(
    scopes = ['chat'],
    { endpoint, accessKey }: { endpoint: string; accessKey: string } = fixture.emulator,
  ): Promise<ChatPerson> {
    const target = '/identities?api-version=2023-10-01'
    const { json } = await send(endpoint, { target, body: { createTokenWithScopes: scopes }, accessKey })
    return toPerson(endpoint, json.identity.id, json.accessToken.token)
  }

  function toPerson(endpoint: string, id: string, token: string): ChatPerson {
    return {
      id,
      token,
      client: new ChatClient(endpoint, new AzureCommunicationTokenCredential(token)),
      call: (method, target, body, { version = '2025-03-15', headers = {} } = {}) =>
        exchange(endpoint, {
          method,
          target: `/chat/threads${target}${target.includes('?') ? '&' : '?'}api-version=${version}`,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
          payload: body === undefined ? '' : JSON.stringify(body),
        }),
    }
  }

  return {
    get emulator() {
      return fixture.emulator
    },
    call: (request: Parameters<typeof fixture.call>[0]) => fixture.call(request),
    createPerson,
    toParticipants,
    /** Creates a thread of a person with others. */
    async createThread(person: ChatPerson, ...others: ChatPerson[]) {
      const body = { topic: 'Lunch', participants: toParticipants(...others) }
      const response = await person.call('POST', '', body)
      return { response, id: response.json.chatThread.id as string }
    },
  }
}

/** Returns participants of a request. */
function toParticipants(...people: { id: string }[]) {
  return people.map(({ id }) => ({ communicationIdentifier: { rawId: id, communicationUser: { id } } }))
}
