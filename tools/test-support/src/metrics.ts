import type { ServerProcess } from './server-process.ts'

/** Reads one of the metrics of a token service that was started with `METRICS_PORT`. */
export async function readMetric({ stdout }: ServerProcess, name: string): Promise<number> {
  const address = /"metricsAddress":"([^"]+)"/.exec(stdout)![1]!
  const metrics = await (await fetch(`${address}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)![1])
}
