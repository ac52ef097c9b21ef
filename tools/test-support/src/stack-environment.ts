import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { childEnvironment } from './child-environment.ts'

/** The parts of an emulator that sign a command in. */
interface SignIn {
  readonly caPath: string
  readonly entra: { readonly managedIdentity: { readonly endpoint: string; readonly header: string } }
}

/**
 * Returns the environment of a command that reads a stack's outputs. A stand-in for the Pulumi CLI, in a folder of the test,
 * prints the same state for every stack; a managed identity of the emulator signs in to the store.
 */
export function stackEnvironment(folder: string, { caPath, entra }: SignIn, outputs: object): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const state = join(folder, 'state.json')
  writeFileSync(state, JSON.stringify({ deployment: { resources: [{ type: 'pulumi:pulumi:Stack', outputs }] } }))
  const script = `#!/bin/sh\nif [ "$1" = version ]; then echo v3.270.0; else cat '${state}'; fi\n`
  writeFileSync(join(bin, 'pulumi'), script)
  chmodSync(join(bin, 'pulumi'), 0o755)
  const { endpoint, header } = entra.managedIdentity
  return childEnvironment({
    PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    NODE_EXTRA_CA_CERTS: caPath,
    IDENTITY_ENDPOINT: endpoint,
    IDENTITY_HEADER: header,
  })
}
