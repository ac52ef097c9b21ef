import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { readWorkflow } from '@acs-kit/test-support/workflows'
import { expect, it, onTestFinished } from 'vitest'

// The scripts of the release workflow, in a small repository with the tools and the configuration of this one.
const root = join(import.meta.dirname, '..')
const { jobs } = readWorkflow('.github/workflows/release.yml')
const run = promisify(execFile)

it('gives each job only the permissions that it needs', () => {
  expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
    prepare: { contents: 'read' },
    version: { contents: 'write', 'pull-requests': 'write' },
    test: { contents: 'read' },
    publish: { 'id-token': 'write' },
    announce: { contents: 'write' },
  })
})

it('runs no code of the repository with permissions to write', () => {
  for (const { permissions, steps = [] } of Object.values(jobs)) {
    if (!Object.values(permissions!).includes('write')) continue
    const scripts = steps.map((step) => step.run ?? '').join('\n')
    expect(scripts.match(/\bnpm (?!view|publish)\w+|\b(?:pnpm|npx|node)\b/g)).toBeNull()
  }
})

it('is set up by the commands in CONTRIBUTING.md', async () => {
  const section = /^### Set up releases\n([^]*?)^## /m.exec(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8'))![1]!
  const commands = [...section.matchAll(/^ +```sh\n([^]*?)^ +```/gm)].map(([, block]) =>
    block!.replaceAll(/^ {3}/gm, ''),
  )
  expect(commands).toHaveLength(3)
  for (const command of commands) await run('bash', ['-n', '-c', command])
  const published = globSync('{apps,packages}/*/package.json', { cwd: root })
    .map((path) => JSON.parse(readFileSync(join(root, path), 'utf8')) as { name: string; private?: boolean })
    .filter((manifest) => !manifest.private)
  const trusted = /^for name in (.*); do$/m.exec(commands[1]!)![1]!.split(' ')
  expect(trusted.toSorted()).toEqual(published.map(({ name }) => name).toSorted())
})

function write(folder: string, files: Record<string, string | object>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

async function createRepository() {
  const folder = realpathSync(temporaryFolder())
  const copied = ['.changeset/config.json', '.oxfmtrc.json', 'scripts/bootstrap.mjs', 'scripts/fill-repository.mjs']
  for (const path of copied) cpSync(join(root, path), join(folder, path))
  const { packageManager, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    packageManager: string
    scripts: Record<string, string>
  }
  // Linked, so that no network is needed.
  const link = (name: string) => [name, `link:${realpathSync(join(root, 'node_modules', name))}`]
  const devDependencies = Object.fromEntries(['@changesets/cli', 'node', 'oxfmt', 'pnpm'].map(link))
  const published = { version: '1.0.0', files: ['CHANGELOG.md'], publishConfig: { access: 'public' } }
  write(folder, {
    'package.json': { private: true, packageManager, scripts: { changeset: scripts['changeset'] }, devDependencies },
    'pnpm-workspace.yaml': 'packages: [packages/*]\npmOnFail: ignore\n',
    '.gitignore': 'node_modules\n',
    'README.md': '# Readme\n',
    // The dependency comes last in the order of names.
    'packages/app/package.json': {
      name: '@scope/app',
      ...published,
      dependencies: { '@scope/zod': 'workspace:^' },
    },
    'packages/app/CHANGELOG.md': '# @scope/app\n\n## 1.0.0\n\nFirst version.\n\n## 0.9.0\n\nBefore.\n',
    'packages/app/README.md':
      '[license](../../LICENSE#mit) [source](src/a.ts) [here](#part) [npm](https://npmjs.com/) [mail](mailto:a@b)\n',
    'packages/zod/package.json': { name: '@scope/zod', ...published },
    'packages/zod/CHANGELOG.md': '# @scope/zod\n\n## 1.0.0\n\nFirst version.\n',
    'packages/zod/README.md': '# zod\n',
    'packages/private/package.json': { name: '@scope/private', version: '1.0.0', private: true },
  })
  await run(join(root, 'node_modules/.bin/pnpm'), ['install', '--no-frozen-lockfile'], {
    cwd: folder,
    env: childEnvironment({ npm_config_registry: 'http://127.0.0.1:9/' }),
  })
  const git = async (...args: string[]) => (await run('git', args, { cwd: folder })).stdout
  await git('init', '--quiet', '--initial-branch', 'main')
  await git('config', 'user.name', 'Alice')
  await git('config', 'user.email', 'alice@example.com')
  const commit = async () => {
    await git('add', '--all')
    await git('commit', '--quiet', '--message', 'change')
    await git('push', '--quiet', 'origin', 'main')
  }
  const origin = temporaryFolder()
  await git('init', '--quiet', '--bare', origin)
  await git('remote', 'add', 'origin', origin)
  await commit()
  return { folder, git, commit, origin }
}

/** Runs a script of a job. The programs are stand-ins. Returns what the script wrote for other steps, and the calls. */
async function runStep(
  job: string,
  name: string,
  { cwd, env = {}, programs = {} }: { cwd: string; env?: NodeJS.ProcessEnv; programs?: Record<string, string> },
) {
  const temporary = temporaryFolder()
  const bin = temporaryFolder()
  for (const [program, script] of Object.entries(programs))
    writeFileSync(join(bin, program), `#!/bin/sh\necho "${program} $*" >> "$CALLS"\n${script}\n`, { mode: 0o755 })
  const output = join(temporary, 'output')
  const calls = join(temporary, 'calls')
  const script = jobs[job]!.steps!.find((step) => step.name === name)!.run!
  await run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd,
    env: childEnvironment({
      PATH: [bin, join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      RUNNER_TEMP: temporary,
      GITHUB_OUTPUT: output,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_SHA: 'abc',
      CALLS: calls,
      ...env,
    }),
  })
  const readLines = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [])
  return { temporary, output: readLines(output), calls: readLines(calls) }
}

it('opens a pull request with the new versions and changelogs, and updates it', async () => {
  const { folder, git, commit, origin } = await createRepository()
  const apply = () => runStep('prepare', 'Apply the changesets', { cwd: folder })
  expect((await apply()).output).toEqual([])

  write(folder, { '.changeset/a.md': "---\n'@scope/zod': minor\n---\n\nAdd `b`.\n" })
  await commit()
  const { output, temporary } = await apply()
  expect(output).toEqual(['patch=true'])
  await git('reset', '--quiet', '--hard')

  const { stdout: before } = await run('git', ['rev-parse', 'main'], { cwd: origin })
  const env = {
    RUNNER_TEMP: temporary,
    BRANCH: 'changeset-release/main',
    TITLE: 'chore(release): version packages',
  }
  const open = (found: string) =>
    runStep('version', 'Open or update the pull request', {
      cwd: folder,
      env,
      programs: { gh: `case "$*" in *list*) printf '${found}' ;; esac` },
    })
  const { calls } = await open('')
  expect(calls.map((call) => call.split(' ').slice(0, 3).join(' '))).toEqual([
    'gh auth setup-git',
    'gh pr list',
    'gh pr create',
  ])
  const show = async (path: string) => (await git('show', `origin/changeset-release/main:${path}`)).trim()
  expect(await show('packages/zod/CHANGELOG.md')).toMatch(
    /^# @scope\/zod\n\n## 1\.1\.0\n\n### Minor Changes\n\n- \w+: Add `b`\.\n\n## 1\.0\.0\n\nFirst version\.$/,
  )
  expect(JSON.parse(await show('packages/zod/package.json'))).toMatchObject({ version: '1.1.0' })
  expect(await git('ls-tree', '--name-only', 'origin/changeset-release/main', '.changeset/')).toBe(
    '.changeset/config.json\n',
  )
  expect((await run('git', ['rev-parse', 'main'], { cwd: origin })).stdout).toBe(before)

  await git('checkout', '--quiet', '--detach', 'HEAD~1')
  expect((await open('7')).calls.filter((call) => call.startsWith('gh pr create'))).toEqual([])
})

it('publishes the packages that are missing on npm, and their changelogs on GitHub', async () => {
  const { folder } = await createRepository()
  const registry = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1))
    response.statusCode = name === '@scope/app' ? 200 : 404
    response.end(
      JSON.stringify({ name, 'dist-tags': { latest: '0.9.0' }, versions: { '0.9.0': { name, version: '0.9.0' } } }),
    )
  })
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void registry.close())
  const { port } = registry.address() as AddressInfo
  const { output, temporary } = await runStep('prepare', 'Pack the versions that are not on npm', {
    cwd: folder,
    env: { npm_config_registry: `http://127.0.0.1:${port}/` },
  })
  expect(output).toEqual(['packages=@scope/zod @scope/app'])

  const release = join(temporary, 'release')
  const readPacked = async (path: string) =>
    (await run('tar', ['-xOzf', 'packages/scope-app-1.0.0.tgz', `package/${path}`], { cwd: release })).stdout
  expect(JSON.parse(await readPacked('package.json'))).toMatchObject({
    dependencies: { '@scope/zod': '^1.0.0' },
    repository: { type: 'git', url: 'git+https://github.com/o/r.git', directory: 'packages/app' },
  })
  expect(await readPacked('README.md')).toBe(
    '[license](https://github.com/o/r/blob/abc/LICENSE#mit) [source](https://github.com/o/r/blob/abc/packages/app/src/a.ts)' +
      ' [here](#part) [npm](https://npmjs.com/) [mail](mailto:a@b)\n',
  )

  const publish = async (published: string) =>
    (
      await runStep('publish', 'Publish', {
        cwd: release,
        programs: { npm: `case "$*" in ${published}) echo 1.0.0 ;; esac` },
      })
    ).calls
  expect((await publish('none')).filter((call) => call.startsWith('npm publish'))).toEqual([
    'npm publish ./packages/scope-zod-1.0.0.tgz --tag latest --ignore-scripts',
    'npm publish ./packages/scope-app-1.0.0.tgz --tag latest --ignore-scripts',
  ])
  expect((await publish('"view @scope/zod@1.0.0 version"')).filter((call) => call.startsWith('npm publish'))).toEqual([
    'npm publish ./packages/scope-app-1.0.0.tgz --tag latest --ignore-scripts',
  ])

  const { calls } = await runStep('announce', 'Create the GitHub releases', {
    cwd: release,
    programs: { gh: `case "$*" in *view*zod*) ;; *view*) exit 1 ;; *create*) cat notes.md >> "$CALLS" ;; esac` },
  })
  expect(calls.filter((call) => !call.includes('view')).join('\n')).toBe(
    'gh release create @scope/app@1.0.0 --target abc --title @scope/app@1.0.0 --notes-file notes.md\n\nFirst version.',
  )
})
