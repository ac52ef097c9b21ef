import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { startLocalStack } from '../src/local-stack.ts'
import { cli, runsEngine } from './pulumi-process.ts'

const run = promisify(execFile)
const mappings = fileURLToPath(import.meta.resolve('@acs-kit/infra/mappings'))
const printOutputs = join(import.meta.dirname, '../src/print-outputs.ts')

it.runIf(runsEngine)('exports and restores the mapping of a running local stack', async () => {
  await using stack = await startLocalStack({ provision: { cli: cli! }, ports: { emulator: 0, service: 0, demo: 0 } })
  const { accessToken, oid } = await stack.emulator.entra.signIn({ user: 'alice' })
  const headers = { Authorization: `Bearer ${accessToken}` }
  const response = await fetch(new URL('/v1/token', stack.service.url), { method: 'POST', headers })
  const { communicationUserId } = (await response.json()) as { communicationUserId: string }
  const { port } = new URL(stack.demo!.url)
  const folder = temporaryFolder()
  const node = `'${process.execPath}'`
  /** As in the README, with the programs behind the scripts. */
  const runMappings = (args: string) =>
    run(
      'sh',
      ['-c', `eval "$(${node} '${printOutputs}' --demo-port ${port} --pulumi)"; ${node} '${mappings}' ${args}`],
      { cwd: folder, env: { PATH: `${dirname(cli!.command)}:${process.env['PATH']}`, HOME: process.env['HOME'] } },
    )

  await runMappings('export local users.csv --format csv')
  expect(readFileSync(join(folder, 'users.csv'), 'utf8').split('\n')[1]).toBe(
    `${communicationUserId},${oid},${stack.emulator.entra.tenantId},mapped,`,
  )
  await runMappings('export local backup.ndjson --format ndjson')
  const imported = await runMappings('import local backup.ndjson')
  expect(imported.stdout).toMatch(
    /^0 users and 0 journal entries inserted, [12] already present, 0 in conflict, 0 rejected\n$/,
  )
})
