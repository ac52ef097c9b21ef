import type { CommunicationIdentities } from '@acs-kit/communication-identity'

/** One way into the resource. Tokens remember the key they were issued with: a regenerated key takes its tokens with it. */
export class AccessKey {
  readonly name: string
  readonly identities: CommunicationIdentities
  /** Refused by the service. For good: when the key comes to life again, a new object takes its place. */
  isDead = false

  constructor(name: string, identities: CommunicationIdentities) {
    this.name = name
    this.identities = identities
  }
}
