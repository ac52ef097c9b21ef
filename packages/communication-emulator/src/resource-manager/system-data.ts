import type { Caller } from './authenticate.ts'
import type { Envelope } from './resource-types.ts'

/** Returns the envelope with `systemData`: who created and last changed a resource, and when. */
export function stampSystemData(envelope: Envelope, before: Envelope | undefined, caller: Caller): Envelope {
  const isApplication = caller['idtyp'] === 'app'
  const name = caller[isApplication ? 'appid' : 'preferred_username']
  const type = isApplication ? 'Application' : 'User'
  const at = new Date().toISOString()
  const created = { createdBy: name, createdByType: type, createdAt: at }
  const changed = { lastModifiedBy: name, lastModifiedByType: type, lastModifiedAt: at }
  return { ...envelope, systemData: { ...created, ...(before?.['systemData'] as object | undefined), ...changed } }
}
