import { ArmError } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'
import type { Envelope } from './resource-types.ts'

/** `West Europe` is `westeurope`, and `United States` is `UnitedStates`. */
export function isSameLocation(one: unknown, other: unknown): boolean {
  return plainLocation(one) === plainLocation(other)
}

export function checkLocation({ id }: ResourceId, asked: Envelope, before: Envelope | undefined): void {
  if (before?.location === undefined || isSameLocation(asked.location, before.location)) return
  const change = asked.location === undefined ? 'removed' : `changed to '${asked.location}'`
  throw new ArmError(
    409,
    'InvalidResourceLocation',
    `The resource ${id} already exists in location '${before.location}'. Its location cannot be ${change}.`,
  )
}

function plainLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}
