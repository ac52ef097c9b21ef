import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startEmulator, type Emulator, type EmulatorOptions } from '../src/index.ts'
import { send, type WireResponse, type WireRequest } from './signed-request.ts'

/** Starts an emulator for the tests of a file, and resets it before each test. */
export function useEmulator(options: EmulatorOptions = {}) {
  let emulator: Emulator
  beforeAll(async () => {
    emulator = await startEmulator(options)
  })
  beforeEach(() => emulator.reset())
  afterAll(() => emulator[Symbol.asyncDispose]())

  return {
    get emulator() {
      return emulator
    },
    /** Sends a request signed with the default resource's primary key. */
    call(request: Omit<WireRequest, 'accessKey'> & { accessKey?: string }): Promise<WireResponse> {
      return send(emulator.endpoint, { accessKey: emulator.accessKey, ...request })
    },
    async createIdentity(): Promise<string> {
      const { json } = await this.call({ target: '/identities?api-version=2023-10-01' })
      return json.identity.id as string
    },
    async issueToken(id: string, scopes = ['chat'], accessKey = emulator.accessKey): Promise<string> {
      const { json } = await this.call({
        target: `/identities/${id}/:issueAccessToken?api-version=2023-10-01`,
        body: { scopes },
        accessKey,
      })
      return json.token as string
    },
  }
}
