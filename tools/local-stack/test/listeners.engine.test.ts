import { describe, expect, it } from 'vitest'
import { probeListeners } from './foreign-hosts.ts'
import { runsEngine } from './pulumi-process.ts'

describe.runIf(process.platform === 'linux' && runsEngine)('a provisioned local stack', () => {
  it('serves only this machine and rejects foreign host names', async () => {
    // The emulator serves a provisioned resource on a port of its own, and Azurite serves blobs.
    expect(await probeListeners('start.ts', ['--keep', '--pulumi'])).toEqual({
      servers: 6,
      reachable: [],
      accepted: [],
    })
  }, 120_000)
})
