import { Type, type Static } from 'typebox'

export const HealthResponse = Type.Object({ status: Type.Literal('ok') })

const Part = Type.Enum(['ok', 'down', 'unknown'])

export const ReadyResponse = Type.Object({
  status: Type.Enum(['ready', 'not-ready']),
  store: Part,
  communication: Part,
})
export type ReadyResponse = Static<typeof ReadyResponse>
