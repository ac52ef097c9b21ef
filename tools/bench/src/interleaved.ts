import { createMeasurement, type Measured, type Measurement } from './measurement.ts'

type Measure = () => Promise<number>

/** Measures by turns, so that a busy moment of the machine affects all measurements. Returns the values of each, by round. */
export async function measureRounds<Value>(
  rounds: number,
  measures: readonly (() => Promise<Value>)[],
): Promise<Value[][]> {
  const values = measures.map((): Value[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, measure] of measures.entries()) values[index]!.push(await measure())
  }
  return values
}

/** Measures by turns. Returns the median of each. */
export async function measureInterleaved(rounds: number, measures: readonly Measure[]): Promise<number[]> {
  return (await measureRounds(rounds, measures)).map(median)
}

interface Rounds extends Pick<Measured, 'name' | 'unit' | 'goal'> {
  readonly values: readonly number[]
  readonly reference: { readonly name: string; readonly values: readonly number[] }
}

/** Compares the medians of interleaved rounds. The spread is that of the rounds' ratios. */
export function compareRounds({ values, reference, ...rest }: Rounds): Measurement {
  const ratios = values.map((value, round) => value / reference.values[round]!)
  return createMeasurement({
    ...rest,
    value: median(values),
    reference: { name: reference.name, value: median(reference.values) },
    spread: [Math.min(...ratios), Math.max(...ratios)],
  })
}

interface Comparison extends Pick<Measured, 'name' | 'unit' | 'goal'> {
  readonly rounds?: number
  readonly measure: Measure
  readonly reference: { readonly name: string; readonly measure: Measure }
}

/** Measures something and its reference by turns. */
export async function compare({ rounds = 5, measure, reference, ...rest }: Comparison): Promise<Measurement> {
  const [values, referenceValues] = await measureRounds(rounds, [measure, reference.measure])
  return compareRounds({ ...rest, values: values!, reference: { name: reference.name, values: referenceValues! } })
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
