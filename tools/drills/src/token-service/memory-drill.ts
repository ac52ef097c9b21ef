import { readMetric } from '@acs-kit/test-support/metrics'
import { ServiceHarness } from './service-harness.ts'
import type { ServiceClient } from './service-client.ts'

const concurrentRequests = 16
/** Roles that make a token 12 kB long, most of which a verified sign-in keeps in memory. */
const roles = Array.from(
  { length: 140 },
  (_, index) => `a role with a long name, as in some directories, number ${index}`,
)
/** Heap of the service, as in a small container: Node exits when it is full, and collects garbage before. */
const heapMiB = 96
/** The 32 MiB that verified sign-ins may occupy, and garbage that is not collected under load. */
const maxGrowthMiB = 128

/**
 * Sends one large sign-in token in many spellings of its header, then many such tokens of one user. Throws if the resident
 * memory of the service grows over its limit.
 */
export async function runMemoryDrill({ spellings, tokens }: { spellings: number; tokens: number }) {
  await using harness = await ServiceHarness.start()
  const { client, server } = await harness.startInstance({
    METRICS_PORT: '0',
    NODE_OPTIONS: `--max-old-space-size=${heapMiB}`,
  })
  const sign = (id: number) => harness.backend.issuer.sign({ sub: 'alice', jti: String(id), roles })
  const token = await sign(0)
  const residentMiB = async () => Math.round((await readMetric(server, 'process_resident_memory_bytes')) / 2 ** 20)

  // Warm up, so that only the growth is measured.
  await sendAll(client, 2000, () => `Bearer ${token}`)
  const beforeMiB = await residentMiB()
  await sendAll(client, spellings, (index) => `${spellScheme(index)}${token}`)
  const afterSpellingsMiB = await residentMiB()
  await sendAll(client, tokens, async (index) => `Bearer ${await sign(index + 1)}`)
  const afterTokensMiB = await residentMiB()
  const limitMiB = beforeMiB + maxGrowthMiB
  const report = { tokenBytes: token.length, beforeMiB, afterSpellingsMiB, afterTokensMiB, limitMiB }
  if (Math.max(afterSpellingsMiB, afterTokensMiB) > limitMiB) {
    throw new Error(`the memory of the service exceeds its limit: ${JSON.stringify(report)}`)
  }
  harness.checkSecrets()
  return report
}

/** Spells `Bearer` in 64 combinations of case, followed by more and more spaces. */
function spellScheme(index: number): string {
  const scheme = 'bearer'.replaceAll(/./g, (letter, place: number) =>
    (index >> place) & 1 ? letter.toUpperCase() : letter,
  )
  return scheme + ' '.repeat(1 + (index >> 6))
}

/** Throws unless all requests succeed. */
async function sendAll(
  { http }: ServiceClient,
  count: number,
  authorizationFor: (index: number) => string | Promise<string>,
): Promise<void> {
  let next = 0
  const senders = Array.from({ length: concurrentRequests }, async () => {
    while (next < count) {
      const headers = { authorization: await authorizationFor(next++) }
      const { status, text } = await http.send({ method: 'POST', path: '/v1/token', headers })
      if (status !== 200) throw new Error(`unexpected response ${status}: ${text}`)
    }
  })
  await Promise.all(senders).catch((cause: unknown) => {
    throw new Error(`a request failed with a heap of ${heapMiB} MiB`, { cause })
  })
}
