#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkTokenService } from './check.ts'
import { DeployedService } from './deployed-service.ts'
import { readTestPrincipals } from './test-principals.ts'

const name = 'check-token-service'
const help = `Usage: ${name} <url> [options]

Checks a running token service against the requirements of @acs-kit/token-client. The checks create and delete
identities, so sign in as test principals and set their access tokens for the service in the environment:

  SIGN_IN_TOKEN          required
  SIGN_IN_TOKEN_OTHER    another principal, for the checks with two users

Options:
  --origin <origin>      also check access from pages of this origin, which the service must allow
  --delete-identities    delete identities that the principals already have, instead of stopping
  --help                 print this help
  --version              print the version

The exit code is 0 if no check failed.
`

async function main(signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      origin: { type: 'string' },
      'delete-identities': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(help)
  if (values.version) return print(readVersion())
  const [url, ...rest] = positionals
  if (url === undefined || rest.length > 0)
    throw new Error(`expected one URL: run ${name} https://<service>, or see --help`)
  if (values.origin !== undefined && !isOrigin(values.origin))
    throw new Error('--origin is not an origin: pass one without a path, such as https://app.example.com')
  const service = new DeployedService(url, {
    signal,
    onWait: (seconds) => printError(`rate limited, retrying in ${seconds} s`),
  })
  await checkTokenService({
    service,
    principals: readTestPrincipals(process.env),
    allowedOrigin: values.origin,
    canDeleteIdentities: values['delete-identities'],
    signal,
    print,
  })
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function print(text: string): void {
  process.stdout.write(`${redact(text)}\n`)
}

function printError(text: string): void {
  process.stderr.write(`${name}: ${redact(text)}\n`)
}

/** Removes tokens and control characters, which a response may bring into a message. */
function redact(text: string): string {
  return text.replaceAll(/eyJ[\w-]*(?:\.[\w-]*)*/g, '<token>').replaceAll(/\p{Cc}/gu, ' ')
}

// Without a reader, the program still has to clean up.
process.stdout.on('error', () => {})
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop.abort(new Error('interrupted')))
await main(stop.signal).catch((error: unknown) => {
  printError((error as Error).message)
  process.exitCode = 1
})
