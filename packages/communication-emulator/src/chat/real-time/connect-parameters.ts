import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Resource } from '../../resource.ts'
import type { ChatUser } from '../chat-user.ts'

/** Lifetime of the parameters in seconds, as in a response of the service. */
export const parametersLifetimeSeconds = 586_920

export type ConnectParameters = ReturnType<typeof createConnectParameters>

/**
 * Signs and verifies the parameters that a client receives with its address and passes on when it connects or reconnects. The
 * signature makes it unnecessary to remember clients that do not connect.
 */
export function createConnectParameters() {
  const key = randomBytes(32)

  /** Returns the parameters of an address of the user. Their times are those of the machine, with which clients compare them. */
  function create(address: string, user: ChatUser, resource: Resource): Record<string, string> {
    const now = Date.now()
    const se = String(now + parametersLifetimeSeconds * 1000)
    const sig = sign(address, se, user, resource)
    return { sr: address, issuer: 'emulator', sp: 'connect', se, st: String(now), sig }
  }

  /** Returns the address of the user in a query; undefined if the parameters are missing, expired or of another user. */
  function read(query: URLSearchParams, user: ChatUser, resource: Resource): string | undefined {
    const [address = '', se = '', sig = ''] = ['sr', 'se', 'sig'].map((name) => query.get(name) ?? '')
    const expected = Buffer.from(sign(address, se, user, resource))
    const given = Buffer.from(sig)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return Number(se) > Date.now() ? address : undefined
  }

  function sign(address: string, se: string, { communicationUserId }: ChatUser, { id }: Resource): string {
    return createHmac('sha256', key)
      .update(JSON.stringify([address, se, communicationUserId, id]))
      .digest('base64url')
  }

  return { create, read }
}
