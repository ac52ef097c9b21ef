/** A fault, a limit or a time that makes no sense; the message says which member and why. */
export class InvalidSettingError extends Error {
  override readonly name = 'InvalidSettingError'
}
