import { expect, test } from 'vitest'
import { createFigure, formatFigures } from '../src/figure.ts'
import { measureByTurns, median } from '../src/rounds.ts'

const measured = { name: 'things made', value: 30, unit: '/s', reference: { name: 'other things', value: 10 } }

test.for([
  ['ratio', 'at least', 3, true],
  ['ratio', 'at least', 3.1, false],
  ['ratio', 'below', 3, false],
  ['value', 'below', 31, true],
  ['value', 'at least', 31, false],
] as const)('a goal: %s %s %d', ([of, is, limit, met]) => {
  const figure = createFigure(measured, { of, is, limit })

  expect(figure).toEqual({ ...measured, ratio: 3, goal: `${of} ${is} ${limit}`, met })
  expect(formatFigures([figure]).includes('NOT MET')).toBe(!met)
})

test('a figure without a goal is neither met nor not', () => {
  const figure = createFigure(measured)

  expect(figure).toEqual({ ...measured, ratio: 3 })
  expect(formatFigures([figure])).not.toMatch(/met/i)
})

test('measurements take turns, and their medians count', async () => {
  const turns: string[] = []
  const values = [1, 100, 3]
  const measure = (who: string) => async () => {
    turns.push(who)
    return values[Math.floor((turns.length - 1) / 2)]!
  }

  const medians = await measureByTurns(3, measure('subject'), measure('reference'))

  expect(turns).toEqual(['subject', 'reference', 'subject', 'reference', 'subject', 'reference'])
  expect(medians).toEqual({ subject: 3, reference: 3 })
  expect(median([4, 1, 2, 3])).toBe(2.5)
})
