import type { CommunicationIdentities } from '@acs-kit/communication-identity'

/** A credential of the resource. Cached tokens remember theirs: regenerating a key revokes the tokens that it issued. */
export class AccessKey {
  readonly name: string
  readonly identities: CommunicationIdentities
  /** Whether ACS rejected the key. Final: if the key is accepted again, a new object replaces this one. */
  isRejected = false

  constructor(name: string, identities: CommunicationIdentities) {
    this.name = name
    this.identities = identities
  }
}
