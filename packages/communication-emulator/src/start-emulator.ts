import { Emulator } from './emulator.ts'
import type { EmulatorOptions } from './emulator-options.ts'
import { normalizeHostnames } from './hostnames.ts'
import { bypassProxies } from './loopback.ts'
import { openKeyMaterial } from './tls/key-material.ts'
import { trustInProcess } from './tls/trust.ts'

/**
 * Starts an emulator in this process; dispose of it to stop it.
 *
 * @param options Ports, resources, folders and behavior; by default one resource on a free port, with its state in memory.
 * @returns The running emulator.
 * @throws {UnusableFolderError} The key folder or the data folder cannot be used, or other users can write to it.
 * @throws {Error} A port is taken, or another option is invalid.
 *
 * @example
 * await using emulator = await startEmulator()
 * const client = new CommunicationIdentityClient(emulator.connectionString)
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const hostnames = normalizeHostnames(options.hostnames ?? [])
  const material = await openKeyMaterial(options.keyFolder, options.dataFolder, hostnames)
  const emulator = new Emulator(options, material)
  try {
    await emulator.open(options)
  } catch (error) {
    await emulator[Symbol.asyncDispose]()
    throw error
  }
  if (options.trust ?? true) {
    trustInProcess(material.ca)
    bypassProxies(hostnames)
  }
  return emulator
}
