import { expect, it } from 'vitest'
import { runHostileDrill } from '../src/hostile/hostile-drill.ts'
import { testSeed } from './test-seed.ts'

// The emulator waits twenty seconds for slow bodies.
it('rejects hostile clients and stays healthy', { timeout: 180_000 }, async () => {
  const drill = runHostileDrill({ garbage: 60, slow: 1, large: 2, connections: 1000, seed: testSeed })

  await expect(drill).resolves.toBeUndefined()
})
