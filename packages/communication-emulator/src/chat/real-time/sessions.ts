import { randomBytes } from 'node:crypto'
import type { Resource } from '../../resource.ts'
import type { ChatUser } from '../chat-user.ts'

/** Time in which a client must open the WebSocket of its session. */
const sessionLifetimeMs = 30_000

/** A user's permission to open one WebSocket, whose URL contains no token. */
export interface Session {
  readonly user: ChatUser
  readonly resource: Resource
  readonly address: string
}

export type Sessions = ReturnType<typeof createSessions>

/** Keeps the sessions whose WebSocket is not open yet. */
export function createSessions() {
  const sessions = new Map<string, Session & { readonly expiresAt: number }>()

  /** Returns the id of a new session. */
  function open(session: Session): string {
    removeExpired()
    const id = randomBytes(24).toString('base64url')
    sessions.set(id, { ...session, expiresAt: Date.now() + sessionLifetimeMs })
    return id
  }

  /** Returns a session and removes it, because its id may have become known through a log; undefined if it does not exist. */
  function take(id: string): Session | undefined {
    removeExpired()
    const session = sessions.get(id)
    sessions.delete(id)
    return session
  }

  function removeExpired(): void {
    // The first one is the oldest.
    for (const [id, { expiresAt }] of sessions) {
      if (expiresAt > Date.now()) return
      sessions.delete(id)
    }
  }

  return { open, take }
}
