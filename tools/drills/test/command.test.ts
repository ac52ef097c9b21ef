import { join } from 'node:path'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { expect, it } from 'vitest'
import { drills } from '../src/drills.ts'

async function runDrill(...args: string[]) {
  await using process = ServerProcess.launch({ script: join(import.meta.dirname, '../src/drill.ts'), args })
  return { code: await process.exit(), stdout: process.stdout, stderr: process.stderr }
}

it('lists its options and all drills', async () => {
  const { code, stdout } = await runDrill('--help')

  expect(code).toBe(0)
  expect(stdout).toContain('--seed <number>')
  for (const [name, { violation }] of Object.entries(drills)) {
    expect(stdout).toMatch(new RegExp(`^  ${name} +${violation}$`, 'm'))
  }
})

it('rejects an unknown drill with its usage', async () => {
  const { code, stderr } = await runDrill('secrets', 'unknown-one')

  expect(code).toBe(2)
  expect(stderr).toMatch(/^error: unknown drill unknown-one\n\nUsage: npm run drill -- /)
})
