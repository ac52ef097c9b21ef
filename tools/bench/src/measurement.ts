interface Goal {
  readonly of: 'value' | 'ratio'
  readonly is: 'at least' | 'below'
  readonly limit: number
}

type Range = readonly [lowest: number, highest: number]

/** A measured value next to a reference from the same run. */
export interface Measurement {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Its value has the same unit. */
  readonly reference: { readonly name: string; readonly value: number }
  /** Value divided by the value of the reference. */
  readonly ratio: number
  /** Lowest and highest ratio of the rounds, if there are several. */
  readonly spread?: Range
  /** Optional; measurements without a goal are informational. */
  readonly goal?: string
  readonly met?: boolean
}

/** A measured value before it is compared. */
export type Measured = Omit<Measurement, 'ratio' | 'goal' | 'met'> & { readonly goal?: Goal }

export function createMeasurement({ goal, ...measured }: Measured): Measurement {
  const ratio = measured.value / measured.reference.value
  if (goal === undefined) return { ...measured, ratio }
  const { of, is, limit } = goal
  const compared = of === 'ratio' ? ratio : measured.value
  const met = is === 'below' ? compared < limit : compared >= limit
  return { ...measured, ratio, goal: `${of} ${is} ${limit}`, met }
}

/** Formats measurements as a table, one line for each. */
export function formatMeasurements(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, value, unit, reference, ratio, spread, goal, met }) => [
    name,
    `${round(value)} ${unit}`,
    `${round(reference.value)} ${unit}, ${reference.name}`,
    round(ratio),
    spread?.map(round).join('–') ?? '',
    goal ?? '',
    met === undefined ? '' : met ? 'met' : 'NOT MET',
  ])
  return formatTable([['name', 'measured', 'reference', 'ratio', 'spread', 'goal', ''], ...rows])
}

/** Formats rows of equal length, the first of which is the heading. */
export function formatTable(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function round(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}
