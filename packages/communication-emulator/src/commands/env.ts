import { defaultResourceName, formatConnectionString, getWellKnownAccessKey } from '../access-key.ts'
import { createEnvironment } from '../environment.ts'
import { formatEnvironment, type ShellFormat } from '../shell-format.ts'
import { openKeyMaterial } from '../tls/key-material.ts'
import { addNames, readAccessKey, type NameFlags } from './options.ts'
import { printLine } from './process.ts'

export interface EnvFlags extends NameFlags {
  readonly port: number
  readonly keys?: string
  readonly shell: ShellFormat
}

/** Prints the variables of programs that use a running emulator. */
export async function env({ port, keys, shell, ...names }: EnvFlags): Promise<void> {
  const { caPath } = await openKeyMaterial(keys)
  const accessKey = readAccessKey() ?? getWellKnownAccessKey(defaultResourceName)
  const endpoint = `https://localhost:${port}/`
  const environment = createEnvironment(
    { endpoint, connectionString: formatConnectionString(endpoint, accessKey), caPath },
    process.env,
  )
  if (environment.warning !== undefined) printLine(environment.warning)
  process.stdout.write(formatEnvironment(addNames(environment, names), shell))
}
