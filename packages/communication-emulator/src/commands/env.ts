import { defaultResourceName, formatConnectionString, getWellKnownAccessKey } from '../access-key.ts'
import { createEnvironment } from '../environment.ts'
import { formatOrigin } from '../hostnames.ts'
import { formatEnvironment, type ShellFormat } from '../shell-format.ts'
import { openAuthority } from '../tls/key-material.ts'
import { addNames, readAccessKey, type NameFlags } from './options.ts'
import { printLine } from './process.ts'

export interface EnvFlags extends NameFlags {
  readonly port: number
  readonly hostname?: string
  readonly keys?: string
  readonly shell: ShellFormat
}

/** Prints the variables of programs that use a running emulator. */
export async function env({ port, hostname, keys, shell, ...names }: EnvFlags): Promise<void> {
  const { caPath } = await openAuthority(keys, hostname)
  const accessKey = readAccessKey() ?? getWellKnownAccessKey(defaultResourceName)
  const endpoint = `${formatOrigin(hostname ?? 'localhost', port)}/`
  const environment = createEnvironment(
    { endpoint, connectionString: formatConnectionString(endpoint, accessKey), caPath },
    process.env,
    hostname === undefined ? [] : [hostname],
  )
  if (environment.warning !== undefined) printLine(environment.warning)
  process.stdout.write(formatEnvironment(addNames(environment, names), shell))
}
