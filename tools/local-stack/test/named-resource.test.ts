import { startEmulator } from '@acs-kit/communication-emulator'
import { expect, it, vi } from 'vitest'
import { findNamedResource } from '../src/named-resource.ts'

it.each(['127.0.0.1', '[::1]', 'acs.localhost', 'LOCALHOST'])(
  'ignores a connection string for %s unless something listens there',
  async (host) => {
    await using emulator = await startEmulator()
    const { port } = new URL(emulator.endpoint)
    const connectionString = `accesskey=${emulator.accessKey};endpoint=https://${host}:${port}/`
    vi.stubEnv('COMMUNICATION_SERVICES_CONNECTION_STRING', connectionString)
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    // The emulator listens on both loopback addresses.
    expect(await findNamedResource()).toBe(connectionString)
    expect(write).not.toHaveBeenCalled()
    await emulator[Symbol.asyncDispose]()
    expect(await findNamedResource()).toBeUndefined()
    expect(write).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/^acs-kit: COMMUNICATION_SERVICES_CONNECTION_STRING ignored: nothing listens at \S+\n$/),
    )
  },
)
