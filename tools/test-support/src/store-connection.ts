import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    storeConnectionString: string
  }
}

/** Returns the connection string of the Azurite that the tests of a package share. Each test uses a table of its own. */
export function storeConnectionString(): string {
  return inject('storeConnectionString')
}
