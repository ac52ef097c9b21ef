import { Type, type Static } from 'typebox'
import { json } from './json.ts'

const Guid = Type.String({ format: 'uuid' })

const TeamsExtension = Type.Object(
  {
    tenantId: Guid,
    /** Applications that may exchange tokens of the tenant's users. */
    clientIds: Type.Array(Guid, { minItems: 1 }),
  },
  { additionalProperties: false },
)
/** Tenant and applications of Teams Phone extensibility. */
export type TeamsExtension = Static<typeof TeamsExtension>

const parse = json(TeamsExtension)

/** Parses the setting, and converts its ids to lower case, as in tokens. */
export function teamsExtension(text: string): TeamsExtension {
  const { tenantId, clientIds } = parse(text)
  return { tenantId: tenantId.toLowerCase(), clientIds: clientIds.map((id) => id.toLowerCase()) }
}
