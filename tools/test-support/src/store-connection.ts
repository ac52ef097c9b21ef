import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    storeConnectionString: string
  }
}

/** Of the Azurite that all tests of a room share, in rooms that ask for it; each test takes a table of its own. */
export function storeConnectionString(): string {
  return inject('storeConnectionString')
}
