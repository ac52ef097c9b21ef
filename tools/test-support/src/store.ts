import type { TestProject } from 'vitest/node'
import { Azurite } from './azurite.ts'
import './store-connection.ts'

/** Starts the Azurite that `storeConnectionString` tells of. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const azurite = await Azurite.start()
  project.provide('storeConnectionString', azurite.connectionString)
  return () => azurite[Symbol.asyncDispose]()
}
