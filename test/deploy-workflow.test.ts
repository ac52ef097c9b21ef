import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { readWorkflow, workflowPaths } from '@acs-kit/test-support/workflows'
import { expect, it } from 'vitest'

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const run = promisify(execFile)
const { jobs: callers } = readWorkflow('.github/workflows/deploy.yml')
const { jobs } = readWorkflow('.github/workflows/deploy-stack.yml')

it('gives each job only the permissions that it needs', () => {
  expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
    preview: { contents: 'read', 'id-token': 'write' },
    comment: { 'pull-requests': 'write' },
    drift: { issues: 'write' },
    up: { contents: 'read', 'id-token': 'write' },
  })
  // A job that calls another workflow limits the permissions of its jobs.
  const all: object = Object.assign({}, ...Object.values(jobs).map(({ permissions }) => permissions))
  expect(callers['stack']!.permissions).toEqual(all)
})

const pullRequest = (full_name: string, login = 'a') => ({
  pull_request: { head: { repo: { full_name } }, user: { login } },
})
it.each([
  ['a push to main', 'stack', { event_name: 'push', ref: 'refs/heads/main' }],
  ['the nightly comparison', 'stack', { event_name: 'schedule', ref: 'refs/heads/main' }],
  ['a start by hand on main', 'stack', { event_name: 'workflow_dispatch', ref: 'refs/heads/main' }],
  ['a start by hand on a branch', '', { event_name: 'workflow_dispatch', ref: 'refs/heads/b' }],
  ['a pull request', 'stack', { event_name: 'pull_request', event: pullRequest('o/r') }],
  ['a pull request of a fork', 'skipped', { event_name: 'pull_request', event: pullRequest('x/r') }],
  ['Dependabot', 'skipped', { event_name: 'pull_request', event: pullRequest('o/r', 'dependabot[bot]') }],
  ['a repository without stacks', 'skipped', { event_name: 'push', ref: 'refs/heads/main' }, ''],
])('runs for %s the job %j', (_event, expected, github, stacks = '["prod"]') => {
  const running = Object.entries(callers).filter(([, job]) =>
    // GitHub's expressions are JavaScript, except that the properties of null are null.
    runInNewContext(job.if!.replaceAll('.', '?.'), {
      github: { repository: 'o/r', ...github },
      vars: { DEPLOY_STACKS: stacks },
    }),
  )
  expect(running.map(([name]) => name).join()).toBe(expected)
})

it('is set up by the commands in the README', async () => {
  const section = /^### Set up the workflow\n([^]*?)^## /m.exec(read('infra/README.md'))![1]!
  const commands = [...section.matchAll(/^ +```sh\n([^]*?)^ +```/gm)].map(([, block]) =>
    block!.replaceAll(/^ {3}/gm, ''),
  )
  expect(commands).toHaveLength(5)
  for (const command of commands) await run('bash', ['-n', '-c', command])
  const texts = workflowPaths
    .filter((path) => path.includes('deploy'))
    .map(read)
    .join('')
  const used = [...texts.matchAll(/\bvars\.(\w+)/g)].map(([, name]) => name)
  const set = [...commands.join('').matchAll(/gh variable set (\w+)/g)].map(([, name]) => name)
  expect(new Set(set)).toEqual(new Set(used))
})

/** Runs the script of a job next to the output of a preview, with a stand-in for `gh` that finds `found`. */
async function report(job: string, { found = '', outcome = 'failure', output = '+ created' } = {}) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'output.txt'), output)
  writeFileSync(
    join(folder, 'gh'),
    `#!/bin/sh\ncase "$*" in *--jq*) printf '${found}' ;; *) echo "$*" >> calls ;; esac\n`,
    { mode: 0o755 },
  )
  const env = childEnvironment({
    PATH: [folder, process.env['PATH']].join(delimiter),
    STACK: 'prod',
    OUTCOME: outcome,
    NUMBER: '7',
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_RUN_ID: '1',
  })
  const script = jobs[job]!.steps!.at(-1)!.run!
  await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { cwd: folder, env })
  const readIfExists = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : ''
  return { calls: readIfExists('calls').trim(), body: readIfExists('comment.md') + readIfExists('issue.md') }
}

it('writes a comment with the diff, and updates it at the next preview', async () => {
  const { calls, body } = await report('comment')
  expect(calls).toBe('api --silent --method POST repos/o/r/issues/7/comments --field body=@comment.md')
  expect(body).toMatch(/^<!-- preview of prod -->\n.*failure.*\n\n~~~~~~diff\n\+ created\n~~~~~~\n$/)
  expect((await report('comment', { found: '12\\n13' })).calls).toBe(
    'api --silent --method PATCH repos/o/r/issues/comments/12 --field body=@comment.md',
  )
  expect((await report('comment', { output: 'x'.repeat(100_000) })).body.length).toBeLessThan(65_536)
})

it('opens one issue about drift, updates it, and closes it when the drift is gone', async () => {
  const { calls, body } = await report('drift')
  expect(calls).toBe(
    'api --silent --method POST repos/o/r/issues --field title=Drift of the stack prod --field body=@issue.md',
  )
  expect(body).toContain('~~~~~~diff\n+ created\n~~~~~~\n')
  expect((await report('drift', { found: '5' })).calls).toBe(
    'api --silent --method PATCH repos/o/r/issues/5 --field body=@issue.md',
  )
  expect((await report('drift', { found: '5', outcome: 'success' })).calls).toBe(
    'api --silent --method PATCH repos/o/r/issues/5 --field state=closed',
  )
  expect((await report('drift', { outcome: 'success' })).calls).toBe('')
})
