/** Thrown for an invalid fault, limit or time; the message names the member and what it must be. */
export class InvalidSettingError extends Error {
  override readonly name = 'InvalidSettingError'
}
