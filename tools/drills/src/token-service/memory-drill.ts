import { HttpClient } from '@acs-kit/test-support/http-client'
import { DrillStage } from './drill-stage.ts'

const connections = 16
/** They give a token 12 kB, most of which a verified sign-in keeps in memory. */
const roles = Array.from(
  { length: 140 },
  (_, index) => `a role with a long name, such as some directories have: ${index}`,
)
/** Heap of the service, as in a small container: Node ends when it is full, and collects garbage before it is. */
const heapMiB = 96
/** The 32 MiB that verified sign-ins may take, and what a collector leaves behind under load. */
const maxGrowthMiB = 128

/**
 * Sends one large sign-in token in many spellings of its header, then many such tokens of one user. Throws when the service's
 * resident memory grows beyond its bound. Returns that memory.
 */
export async function drillMemory({ spellings, tokens }: { spellings: number; tokens: number }) {
  await using stage = await DrillStage.start()
  const { client: service, server } = await stage.startInstance({
    METRICS_PORT: '0',
    NODE_OPTIONS: `--max-old-space-size=${heapMiB}`,
  })
  const metricsUrl = `${/"metricsAddress":"([^"]+)"/.exec(server.stdout)![1]!}/metrics`
  using client = new HttpClient(Number(new URL(service.address).port))
  const sign = (id: number) => stage.stack.issuer.sign({ sub: 'alice', jti: String(id), roles })
  const token = await sign(0)

  const load = (count: number, header: (index: number) => string | Promise<string>) =>
    sendAll(client, count, header).catch((cause: unknown) => {
      throw new Error(`a request was not served with a heap of ${heapMiB} MiB`, { cause })
    })

  // Warm up, so that only the growth is measured.
  await load(2000, () => `Bearer ${token}`)
  const beforeMiB = await residentMiB(metricsUrl)
  await load(spellings, (index) => `${spell(index)}${token}`)
  const afterSpellingsMiB = await residentMiB(metricsUrl)
  await load(tokens, async (index) => `Bearer ${await sign(index + 1)}`)
  const afterTokensMiB = await residentMiB(metricsUrl)
  const boundMiB = beforeMiB + maxGrowthMiB
  const report = { tokenBytes: token.length, beforeMiB, afterSpellingsMiB, afterTokensMiB, boundMiB }
  if (Math.max(afterSpellingsMiB, afterTokensMiB) > boundMiB) {
    throw new Error(`the service grew beyond its bound: ${JSON.stringify(report)}`)
  }
  stage.checkSecrets()
  return report
}

/** `Bearer` in 64 combinations of case, with ever more spaces. */
function spell(index: number): string {
  const scheme = 'bearer'.replaceAll(/./g, (letter, place: number) =>
    (index >> place) & 1 ? letter.toUpperCase() : letter,
  )
  return scheme + ' '.repeat(1 + (index >> 6))
}

/** Throws unless each request is served. */
async function sendAll(client: HttpClient, count: number, header: (index: number) => string | Promise<string>) {
  let next = 0
  const senders = Array.from({ length: connections }, async () => {
    while (next < count) {
      const headers = { authorization: await header(next++) }
      const { status, text } = await client.send({ method: 'POST', path: '/v1/token', headers })
      if (status !== 200) throw new Error(`a request was answered ${status}: ${text}`)
    }
  })
  await Promise.all(senders)
}

async function residentMiB(metricsUrl: string): Promise<number> {
  const metrics = await (await fetch(metricsUrl)).text()
  return Math.round(Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)![1]) / 2 ** 20)
}
