import { join } from 'node:path'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { expect, it } from 'vitest'

async function runBench(...args: string[]) {
  await using process = ServerProcess.launch({ script: join(import.meta.dirname, '../src/bench.ts'), args })
  return { code: await process.exit(), stdout: process.stdout, stderr: process.stderr }
}

it('lists its options and all groups', async () => {
  const { code, stdout } = await runBench('--help')

  expect(code).toBe(0)
  expect(stdout).toContain('--json <file>')
  for (const group of ['emulator', 'chat', 'token-service', 'infra', 'mappings', 'token-client']) {
    expect(stdout).toMatch(new RegExp(`^  ${group} +\\w`, 'm'))
  }
})

it('rejects an unknown group with its usage', async () => {
  const { code, stderr } = await runBench('unknown-one')

  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: .*'unknown-one'.*\n\nUsage: npm run bench -- /)
})
