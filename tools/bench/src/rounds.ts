/** Measures two things by turns, so that a busy moment of the machine hits both; returns the median of each. */
export async function measureByTurns(
  rounds: number,
  subject: () => Promise<number>,
  reference: () => Promise<number>,
): Promise<{ subject: number; reference: number }> {
  const medians = await measureAllByTurns(rounds, [subject, reference])
  return { subject: medians[0]!, reference: medians[1]! }
}

/** The same for any number of things. */
export async function measureAllByTurns(
  rounds: number,
  measurements: readonly (() => Promise<number>)[],
): Promise<number[]> {
  const values = measurements.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, measure] of measurements.entries()) values[index]!.push(await measure())
  }
  return values.map(median)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
