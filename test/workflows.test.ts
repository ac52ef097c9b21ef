import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readWorkflow, workflowPaths } from '@acs-kit/test-support/workflows'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const run = promisify(execFile)
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const actionlint = process.env['COMMUNICATION_TEST_ACTIONLINT']
if (!actionlint) process.stdout.write('NOT RUN: actionlint on the workflows, it is missing (.ci/actionlint)\n')

describe.each(workflowPaths)('%s', (path) => {
  const text = read(path)
  const workflow = readWorkflow(path)
  const jobs = Object.entries(workflow.jobs)
  const steps = jobs.flatMap(([, job]) => job.steps ?? [])
  const shell = steps.map((step) => step.run ?? '').join('\n')

  it.runIf(actionlint)('passes actionlint, and shellcheck on its scripts', async () => {
    const { stdout } = await run(actionlint!, ['-no-color', '-shellcheck', 'shellcheck', path], { cwd: root })
    expect(stdout).toBe('')
  })

  it('runs only commands of this repository', () => {
    const named = [...shell.matchAll(/\bnpm (?!view |publish )(?:run (?:--silent )?)?([a-z][\w:]*)/g)].map(
      ([, script]) => script!,
    )
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
    const paths = [...text.matchAll(/(?<![\w/.$-])(?:\.ci|\.github|apps|infra|tools|scripts)\/[\w./-]*\w/g)]
    const built = 'apps/token-service/dist.zip'
    expect(paths.map(([file]) => file).filter((file) => file !== built && !existsSync(join(root, file)))).toEqual([])
  })

  it('pins each action by its hash, with its version', () => {
    const actions = [...text.matchAll(/uses: (?!\.\/)(.*)$/gm)].map(([, action]) => action!)
    expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
  })

  it('grants nothing by default, and limits the permissions and the time of each job', () => {
    expect(workflow.permissions).toEqual({})
    for (const [name, job] of jobs) {
      expect(job.permissions, name).toBeDefined()
      if (job.steps) expect(job['timeout-minutes'], name).toBeGreaterThan(0)
    }
  })

  // Values of a pull request, such as its title, would become commands.
  it('passes values to scripts only as variables', () => {
    expect(shell).not.toContain('${{')
  })

  it('uses no stored secrets, and gives pull requests of forks no more than their own code', () => {
    expect(text).not.toMatch(/\bsecrets\b/)
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target')
    expect(Object.keys(workflow.on)).not.toContain('workflow_run')
  })
})
