import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../../problems/problem-error.ts'

/** Headers that affect access or parsing. Node uses the first of two equal ones; a proxy in front may have used the other. */
const names = new Set(['host', 'origin', 'authorization', 'content-type'])

/** Rejects requests that repeat one of these headers. */
export const uniqueHeaders = fastifyPlugin(
  async (app) => {
    app.addHook('onRequest', (request, _reply, done) => {
      const repeated = findRepeated(request.raw.rawHeaders)
      if (repeated === undefined) done()
      else done(new ProblemError('request-invalid', `The header ${repeated} is sent twice. Send it once.`))
    })
  },
  { name: 'unique-headers' },
)

function findRepeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (!names.has(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}
