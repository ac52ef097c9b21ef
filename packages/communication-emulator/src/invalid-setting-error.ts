/**
 * Thrown for an invalid fault, limit or time; the message names the member and its valid values.
 *
 * @example
 * expect(() => emulator.faults.add({ status: 99 })).toThrow(InvalidSettingError)
 */
export class InvalidSettingError extends Error {
  override readonly name = 'InvalidSettingError'
}
