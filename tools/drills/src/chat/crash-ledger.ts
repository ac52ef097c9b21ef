import type { ChatServer, ChatUser } from '@acs-kit/test-support/chat-user'

/** Content of a message; undefined if the message is deleted. */
type Content = string | undefined

/** A text message. Only its sender's client changes it, so the order of the changes is known. */
export interface LedgerMessage {
  /** Content that was sent, which no other message has. */
  readonly text: string
  readonly sender: ChatUser
  /** Undefined until a response has it. */
  id: string | undefined
  /** Content that the message can have: more than one after a request without a response. */
  possible: Content[]
}

export interface LedgerThread {
  readonly id: string
  /** Only its creator's client renames or deletes the thread. */
  readonly creation: Creation
  /** Topics that the thread can have. */
  topics: string[]
  /** `unknown` after a deletion without a response. */
  state: 'live' | 'deleted' | 'unknown'
  readonly messages: LedgerMessage[]
  /** Whether a guest is a participant, by user id; undefined if either is possible. */
  readonly guests: Map<string, boolean | undefined>
}

/** A creation of a thread, which the service executes once however often it is repeated. */
export interface Creation {
  readonly creator: ChatUser
  readonly topic: string
  readonly repeatabilityId: string
}

/** A user who sends requests, and another one, whom only this user adds and removes. */
export interface Client {
  readonly user: ChatUser
  readonly guest: ChatUser
}

/** Everything that an emulator has acknowledged in chat, and therefore keeps through any crash. */
export class ChatLedger {
  readonly clients: readonly Client[]
  readonly threads: LedgerThread[] = []
  /** Creations without a response. */
  lostCreations: Creation[] = []
  /** Changes that were acknowledged. */
  changes = 0

  constructor(clients: readonly Client[]) {
    this.clients = clients
  }

  /** Sends all further requests to another process, with its own port. */
  moveTo(server: ChatServer): void {
    for (const { user, guest } of this.clients) user.server = guest.server = server
  }

  /** Creates a thread of all users, or repeats its creation. Returns the id of the thread. */
  create({ creator, topic, repeatabilityId }: Creation): Promise<string> {
    const others = this.clients.map(({ user }) => user).filter((user) => user !== creator)
    return creator.createThread(topic, others, repeatabilityId)
  }

  addThread(id: string, creation: Creation): void {
    const guests = new Map(this.clients.map(({ guest }) => [guest.id, false]))
    this.threads.push({ id, creation, topics: [creation.topic], state: 'live', messages: [], guests })
  }
}
