import { ArmError } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'
import type { Envelope } from './resource-types.ts'

/** Compares two locations, ignoring case and spaces: `West Europe` equals `westeurope`. */
export function isSameLocation(one: unknown, other: unknown): boolean {
  return normalizeLocation(one) === normalizeLocation(other)
}

/** Throws an `ArmError` if a request would change the location of a resource. */
export function checkLocation({ id }: ResourceId, requested: Envelope, before: Envelope | undefined): void {
  if (before?.location === undefined || isSameLocation(requested.location, before.location)) return
  const change = requested.location === undefined ? 'removed' : `changed to '${requested.location}'`
  throw new ArmError(
    409,
    'InvalidResourceLocation',
    `The resource ${id} already exists in location '${before.location}'. Its location cannot be ${change}.`,
  )
}

/** Returns the request. Throws an `ArmError` if it has no location. */
export function requireLocation({ id }: ResourceId, requested: Envelope): Envelope {
  if (typeof requested.location === 'string' && requested.location !== '') return requested
  throw new ArmError(400, 'LocationRequired', `The location property is required for this definition: ${id}.`)
}

function normalizeLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}
