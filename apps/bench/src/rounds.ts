/** Measures two things by turns, so that a busy moment of the machine hits both; returns the median of each. */
export async function measureByTurns(
  rounds: number,
  subject: () => Promise<number>,
  reference: () => Promise<number>,
): Promise<{ subject: number; reference: number }> {
  const subjects: number[] = []
  const references: number[] = []
  for (let round = 0; round < rounds; round++) {
    subjects.push(await subject())
    references.push(await reference())
  }
  return { subject: median(subjects), reference: median(references) }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
