import { Type, type Static } from 'typebox'

export const HealthResponse = Type.Object(
  { status: Type.Literal('ok') },
  { description: 'The process serves requests' },
)

const Part = Type.Enum(['ok', 'down', 'unknown'])

export const ReadyResponse = Type.Object(
  {
    status: Type.Enum(['ready', 'not-ready']),
    store: Part,
    communication: Part,
  },
  { description: 'Result of the latest health check' },
)
export type ReadyResponse = Static<typeof ReadyResponse>
