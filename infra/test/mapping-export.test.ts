import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startEmulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { exportMappings } from '../teardown/mapping-export.ts'

it('names the role that an export needs, and leaves no file', async () => {
  await using emulator = await startEmulator()
  await using azurite = await Azurite.start({ tls: emulator.tlsFiles, oauth: true })
  const path = join(temporaryFolder(), 'mappings.ndjson')
  const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 60_000 }) }
  const rejected = exportMappings({ endpoint: azurite.endpoint, table: 'identities', path }, credential)
  await expect(rejected).rejects.toThrow(/Storage Table Data Reader/)
  expect(existsSync(path)).toBe(false)
})
