import { describe, expect, it } from 'vitest'
import { compare, measureInterleaved, median } from '../src/interleaved.ts'
import { createMeasurement, formatMeasurements } from '../src/measurement.ts'

const measured = { name: 'things made', value: 30, unit: '/s', reference: { name: 'other things', value: 10 } }

describe('createMeasurement', () => {
  it.for([
    ['ratio', 'at least', 3, true],
    ['ratio', 'at least', 3.1, false],
    ['ratio', 'below', 3, false],
    ['value', 'below', 31, true],
    ['value', 'at least', 31, false],
  ] as const)('compares a goal: %s %s %d', ([of, is, limit, met]) => {
    const measurement = createMeasurement({ ...measured, goal: { of, is, limit } })

    expect(measurement).toEqual({ ...measured, ratio: 3, goal: `${of} ${is} ${limit}`, met })
    expect(formatMeasurements([measurement]).includes('NOT MET')).toBe(!met)
  })

  it('does not judge without a goal', () => {
    const measurement = createMeasurement(measured)

    expect(measurement).toEqual({ ...measured, ratio: 3 })
    expect(formatMeasurements([measurement])).not.toMatch(/met/i)
  })
})

describe('measureInterleaved', () => {
  it('takes turns and returns medians', async () => {
    const turns: string[] = []
    const values = [1, 100, 3]
    const measure = (name: string) => async () => {
      turns.push(name)
      return values[Math.floor((turns.length - 1) / 2)]!
    }

    const medians = await measureInterleaved(3, [measure('subject'), measure('reference')])

    expect(turns).toEqual(['subject', 'reference', 'subject', 'reference', 'subject', 'reference'])
    expect(medians).toEqual([3, 3])
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })

  it('compares something with its reference, and shows the spread of the rounds', async () => {
    const values = [30, 60, 15]
    const comparison = { ...measured, rounds: 3, measure: async () => values.shift()! }
    const reference = { name: 'other things', measure: async () => 10 }

    const measurement = await compare({ ...comparison, reference })

    expect(measurement).toEqual({ ...measured, ratio: 3, spread: [1.5, 6] })
    expect(formatMeasurements([measurement])).toMatch(/ 3 +1\.5–6$/m)
  })
})
