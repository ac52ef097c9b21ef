/** Connection of a user who receives events. */
export interface ListedConnection {
  readonly communicationUserId: string
  /** Name of the resource. */
  readonly resource: string
  readonly connectedAt: Date
}
