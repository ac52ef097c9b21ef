// `npm run outputs`: prints the values of the running local stack, for a shell and for other apps.
import { HttpClient } from '@acs-kit/test-support/http-client'
import { createProgram, defaultPorts, portOption } from './options.ts'
import { runProgram } from './run-program.ts'

interface OutputsOptions {
  readonly demoPort: number
  readonly showSecrets?: boolean
  readonly pulumi?: boolean
}

const command = createProgram('npm run --silent outputs --', 'print the outputs of the running local stack')
  .addOption(portOption('--demo-port <number>', 'port of the demo of the stack', defaultPorts.demo))
  .option('--show-secrets', "also print the connection string, if the resource is the emulator's")
  .option('--pulumi', 'print instead the variables that commands such as mappings need to find the stack `local`')
  .addHelpText('after', '\nTo set them as shell variables: eval "$(npm run --silent outputs)"')

async function printOutputs({ demoPort, showSecrets = false, pulumi = false }: OutputsOptions): Promise<void> {
  const outputs = await fetchOutputs(demoPort, pulumi ? '?pulumi' : showSecrets ? '?secrets' : '')
  if (pulumi && Object.keys(outputs).length === 0)
    throw new Error(
      'the local stack was started without Pulumi: start it with `npm start -- --keep`, without --no-pulumi',
    )
  if (pulumi) {
    for (const [name, value] of Object.entries(outputs)) process.stdout.write(`export ${name}=${quote(value)}\n`)
    return
  }
  if (showSecrets && outputs['connectionString'] === undefined)
    throw new Error('no connection string to show: the resource is keyless, or it is not emulated')
  for (const [name, value] of Object.entries(outputs)) process.stdout.write(`${name}=${quote(value)}\n`)
}

async function fetchOutputs(demoPort: number, query: string): Promise<Readonly<Record<string, string>>> {
  // Unlike `fetch`, never through a proxy.
  using client = new HttpClient(demoPort)
  const { status, text } = await client
    .send({ method: 'GET', path: `/outputs.json${query}` })
    .catch((cause: unknown) => {
      throw notFound(demoPort, cause)
    })
  if (status === 503) throw new Error('the local stack is still starting: try again')
  if (status !== 200) throw notFound(demoPort, new Error(`status ${status}`))
  try {
    return JSON.parse(text) as Record<string, string>
  } catch (cause) {
    throw notFound(demoPort, cause)
  }
}

function notFound(port: number, cause: unknown): Error {
  const remedy = 'start one with `npm start -- --keep` or `npm run dev`, or pass its --demo-port'
  return new Error(`no local stack found on port ${port}: ${remedy}`, { cause })
}

/** Quotes a value for POSIX shells if necessary. Programs that read `.env` files understand the result as well. */
function quote(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`
}

await runProgram(() => command.action(printOutputs).parseAsync())
