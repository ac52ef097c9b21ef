import { expect, test } from 'vitest'
import { drillHostileClients } from '../src/hostile/hostile-drill.ts'
import { testSeed } from './test-seed.ts'

// The emulator gives slow bodies twenty seconds.
test('hostile clients are refused, and the emulator outlives them', { timeout: 180_000 }, async () => {
  const drill = drillHostileClients({ garbage: 60, slow: 1, large: 2, crowd: 1000, seed: testSeed })

  await expect(drill).resolves.toBeUndefined()
})
