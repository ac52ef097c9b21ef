import { Type, type Static } from 'typebox'

export const HealthResponse = Type.Object({ status: Type.Literal('ok') }, { description: 'It does' })

const Part = Type.Enum(['ok', 'down', 'unknown'])

export const ReadyResponse = Type.Object(
  {
    status: Type.Enum(['ready', 'not-ready']),
    store: Part,
    communication: Part,
  },
  { description: 'What was found lately' },
)
export type ReadyResponse = Static<typeof ReadyResponse>
