import { createMeasurement, type Measured, type Measurement } from './measurement.ts'

type Measure = () => Promise<number>

/** Measures by turns, so that a busy moment of the machine affects all measurements. Returns the median of each. */
export async function measureInterleaved(rounds: number, measures: readonly Measure[]): Promise<number[]> {
  const values = measures.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, measure] of measures.entries()) values[index]!.push(await measure())
  }
  return values.map(median)
}

interface Comparison extends Pick<Measured, 'name' | 'unit' | 'goal'> {
  readonly rounds?: number
  readonly measure: Measure
  readonly reference: { readonly name: string; readonly measure: Measure }
}

/** Measures something and its reference by turns. */
export async function compare({ rounds = 5, measure, reference, ...rest }: Comparison): Promise<Measurement> {
  const [value, referenceValue] = await measureInterleaved(rounds, [measure, reference.measure])
  return createMeasurement({ ...rest, value: value!, reference: { name: reference.name, value: referenceValue! } })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Milliseconds that some work takes. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
