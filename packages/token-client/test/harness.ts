import { tokenSource, type ServiceTokenSource, type ServiceTokenSourceOptions, type TokenError } from '../src/index.ts'
import { FakeService, createSignInToken } from './fake-service.ts'
import { VirtualClock } from './virtual-clock.ts'

export const minute = 60_000
export const hour = 60 * minute
export const unavailable = { status: 503, code: 'communication-unavailable' }

/** An app with a signed-in user, and its token service. */
export class Harness {
  readonly clock: VirtualClock
  readonly service: FakeService
  readonly errors: unknown[] = []
  user = 'alice'

  constructor(clock = new VirtualClock()) {
    this.clock = clock
    this.service = new FakeService(clock)
  }

  createSource(options: Partial<ServiceTokenSourceOptions> = {}): ServiceTokenSource {
    return tokenSource({
      url: 'https://tokens.example.com',
      getSignInToken: () => createSignInToken(this.user),
      fetch: this.service.fetch,
      clock: this.clock,
      onError: (error) => this.errors.push(error),
      ...options,
    })
  }

  /** Advances the clock until the promise settles. Returns its value or error. */
  async settle<T>(promise: Promise<T>, limit = 2 * minute): Promise<T | TokenError> {
    const settled = promise.catch((error: unknown) => error as TokenError)
    await this.clock.advanceUntil(settled, limit)
    return settled
  }
}
