import { expect, it } from 'vitest'
import { runMappingsDrill } from '../src/mappings/mappings-drill.ts'
import { testSeed } from './test-seed.ts'

// The drill throws if a row is lost or changed.
it('restores a mapping from a backup when export and import are killed', { timeout: 120_000 }, async () => {
  const { rows, exported, imported } = await runMappingsDrill({ users: 10_000, kills: 2, seed: testSeed })

  expect(rows).toBe(10_010)
  expect([exported, imported]).toEqual([expect.stringMatching(/^\d/), expect.stringMatching(/^\d/)])
})
