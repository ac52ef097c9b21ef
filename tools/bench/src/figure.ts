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
  /** Without one it is there to be looked at, and counts neither as met nor as not. */
  readonly goal?: string
  readonly met?: boolean
}

export function createFigure(measured: Omit<Figure, 'ratio' | 'goal' | 'met'>, goal?: Goal): Figure {
  const ratio = measured.value / measured.reference.value
  if (goal === undefined) return { ...measured, ratio }
  const { of, is, limit } = goal
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
    goal ?? '',
    met === undefined ? '' : met ? 'met' : 'NOT MET',
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
