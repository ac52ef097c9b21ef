import type { TestProject } from 'vitest/node'
import { Azurite } from './azurite.ts'
import './store-connection.ts'

/** Global setup: starts the Azurite of `storeConnectionString`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const azurite = await Azurite.start()
  project.provide('storeConnectionString', azurite.connectionString)
  return () => azurite[Symbol.asyncDispose]()
}
