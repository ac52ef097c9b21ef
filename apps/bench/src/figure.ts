export interface Goal {
  readonly of: 'value' | 'ratio'
  readonly is: 'at least' | 'below'
  readonly limit: number
}

/** What was measured, beside what, and whether that is what was hoped for. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it was measured beside, in the same run and unit. */
  readonly reference: { readonly name: string; readonly value: number }
  /** Value by reference. */
  readonly ratio: number
  readonly goal: string
  readonly met: boolean
}

export function createFigure(measured: Omit<Figure, 'ratio' | 'goal' | 'met'>, { of, is, limit }: Goal): Figure {
  const ratio = measured.value / measured.reference.value
  const decisive = of === 'ratio' ? ratio : measured.value
  return {
    ...measured,
    ratio,
    goal: `${of} ${is} ${limit}`,
    met: is === 'below' ? decisive < limit : decisive >= limit,
  }
}

/** One line a figure, for people. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, reference, ratio, goal, met }) => [
    name,
    `${round(value)} ${unit}`,
    `${round(reference.value)} ${unit}, ${reference.name}`,
    round(ratio),
    goal,
    met ? 'met' : 'NOT MET',
  ])
  const table = [['figure', 'measured', 'reference', 'ratio', 'goal', ''], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function round(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}
