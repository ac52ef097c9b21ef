import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Emulator } from '@acs-kit/communication-emulator'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { readWorkflow } from '@acs-kit/test-support/workflows'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { cli, runPulumi, runsEngine, type PulumiResult } from './pulumi-process.ts'

const infra = dirname(fileURLToPath(import.meta.resolve('@acs-kit/infra')))
const { env: workflowEnv, jobs } = readWorkflow('.github/workflows/deploy-stack.yml')
const steps = Object.values(jobs).flatMap((job) => job.steps ?? [])
const [preview, compare, findChanges, apply] = [
  'Preview',
  'Compare the stack with Azure',
  'Look for changes in the plan',
  'Apply the plan',
]

it('plays every Pulumi command of the workflow', () => {
  const names = steps.filter(({ run = '' }) => /^ *pulumi /m.test(run)).map(({ name }) => name)
  expect(names).toEqual([preview, compare, apply])
})

// Runs the scripts of the workflow's steps, unchanged, on the emulated stack. Each test builds on the ones before it.
describe.runIf(runsEngine)('the deployment workflow', { timeout: 240_000 }, () => {
  let emulator: Emulator
  let engine: LocalEngine
  let checkout: string
  let plan: string

  useEngine((azure) => {
    ;({ emulator, engine } = azure)
    checkout = join(engine.folder, 'checkout')
    mkdirSync(checkout)
    symlinkSync(engine.folder, join(checkout, 'infra'))
    plan = join(checkout, 'plan.json')
  })

  /** Runs the script of a step like GitHub's runner. */
  async function play(name: string | undefined, { refresh = false } = {}): Promise<PulumiResult> {
    const script = steps.find((step) => step.name === name)!.run!
    const constants = Object.entries(workflowEnv!).filter(([, value]) => !value.includes('${{'))
    const env = {
      ...engine.env,
      ...Object.fromEntries(constants),
      PATH: [dirname(cli!.command), engine.env['PATH']].join(delimiter),
      STACK: engine.stack.name,
      REFRESH: String(refresh),
      RUNNER_TEMP: checkout,
      GITHUB_OUTPUT: join(checkout, 'outputs'),
    }
    writeFileSync(env.GITHUB_OUTPUT, '')
    const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script]
    try {
      return { code: 0, ...(await promisify(execFile)('bash', args, { cwd: checkout, env })) }
    } catch (error) {
      const { code, stdout, stderr } = error as PulumiResult
      return { code, stdout, stderr }
    }
  }
  const previewChanges = async (options?: { refresh: boolean }) => {
    const { code, stdout } = await play(preview, options)
    expect([code, stdout]).toEqual([0, expect.stringContaining('Update plan written to')])
    expect((await play(findChanges)).code).toBe(0)
    return readFileSync(join(checkout, 'outputs'), 'utf8').trim()
  }
  const configure = (...args: string[]) => runPulumi(engine, 'config', 'set', ...args)
  const resources = () => emulator.resourceManager.resources()
  const communication = () => resources().find(({ id }) => id.type.endsWith('communicationServices'))!
  const stateFiles = () =>
    readdirSync(join(engine.folder, 'state'), { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, statSync(path).mtimeMs])
  /** Changes a resource outside Pulumi. */
  const patch = async (type: string, body: object) => {
    const { accessToken } = await emulator.entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
    const { id } = resources().find((resource) => resource.id.type.endsWith(type))!
    const { status } = await fetch(new URL(`${id.id}?api-version=2026-03-18`, emulator.endpoint), {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${accessToken}` },
      body: JSON.stringify(body),
    })
    expect(status).toBe(200)
  }
  /** Applies the plan, which must fail before the first change. Returns the output. */
  const applyInvalid = async () => {
    const before = JSON.stringify(resources())
    const { code, stdout, stderr } = await play(apply)
    expect(code).not.toBe(0)
    expect(JSON.stringify(resources())).toBe(before)
    return stdout + stderr
  }

  it('previews a new stack without writing to Azure or to the state, and applies this plan', async () => {
    const before = stateFiles()
    expect(await previewChanges()).toBe('changes=true')
    expect([resources(), stateFiles()]).toEqual([[], before])
    const { code, stdout } = await play(apply)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\+ \d+ created/)])
    expect(readFileSync(plan, 'utf8')).toContain(`"${communication().id.name}"`)
  })

  it('finds no changes in a preview of the same program, without the keys of storage accounts', async () => {
    emulator.requests.clear()
    expect(await previewChanges()).toBe('changes=false')
    const keyRequests = emulator.requests.list().filter(({ path }) => /\/listKeys\b/i.test(path))
    expect(keyRequests.map(({ path }) => path)).toEqual([expect.stringMatching(/\/communicationServices\//i)])
  })

  it('keeps the keys of the resource out of the plan and the output', async () => {
    await configure('--path', 'allowedOrigins[0]', 'https://app.example.com')
    expect(await previewChanges()).toBe('changes=true')
    const written = readFileSync(plan, 'utf8')
    const { connectionString, secondaryConnectionString } = emulator.resources.at(-1)!
    // The new settings of the site contain both connection strings.
    expect(written).toContain('"ciphertext"')
    for (const secret of [connectionString, secondaryConnectionString]) {
      const key = /accesskey=(.+)$/.exec(secret)![1]!
      for (const text of [written, readFileSync(join(checkout, 'output.txt'), 'utf8')]) expect(text).not.toContain(key)
    }
  })

  it('applies the plan of a keyless, protected stack, and rejects it while the configuration differs', async () => {
    await engine.configure({
      keyless: 'true',
      protect: 'true',
      sku: 'P0v3',
      'instances.min': '1',
      'instances.max': '3',
      'tags.team': 'a',
    })
    expect(await previewChanges()).toBe('changes=true')
    await configure('--path', 'tags.team', 'b')
    expect(await applyInvalid()).toMatch(/violates plan: properties changed: .*tags/)
    await configure('--path', 'tags.team', 'a')
    expect((await play(apply)).code).toBe(0)
    expect(communication().envelope).toMatchObject({ tags: { team: 'a' }, properties: { disableLocalAuth: true } })
  })

  it('rejects a plan if the program has changed since', async () => {
    await previewChanges()
    const program = temporaryFolder()
    symlinkSync(join(infra, 'node_modules'), join(program, 'node_modules'))
    writeFileSync(join(program, 'package.json'), JSON.stringify({ type: 'module', main: 'main.js' }))
    writeFileSync(
      join(program, 'main.js'),
      `import { ResourceGroup } from '@pulumi/azure-native/resources/index.js'
       new ResourceGroup('unplanned')
       export default (await import(${JSON.stringify(join(infra, 'main.mjs'))})).default`,
    )
    const settings = await engine.stack.workspace.projectSettings()
    onTestFinished(() => engine.stack.workspace.saveProjectSettings(settings))
    await engine.stack.workspace.saveProjectSettings({ ...settings, main: program })
    expect(await applyInvalid()).toMatch(/create is not allowed by the plan/)
  })

  it('finds no drift if nothing but autoscale has changed Azure', async () => {
    await patch('serverfarms', { sku: { name: 'P0v3', capacity: 3 } })
    expect(await play(compare)).toMatchObject({ code: 0, stdout: expect.stringMatching(/unchanged/) })
  })

  it('finds a tag that was changed outside Pulumi, and writes nothing to the state', async () => {
    await patch('communicationServices', { tags: { team: 'x' } })
    const before = stateFiles()
    const { code, stdout } = await play(compare)
    expect([code, stdout]).toEqual([expect.any(Number), expect.stringMatching(/~ team *: "x" => "a"/)])
    expect(code).not.toBe(0)
    expect(stateFiles()).toEqual(before)
  })

  it('undoes this change if the workflow is started by hand', async () => {
    expect(await previewChanges({ refresh: true })).toBe('changes=true')
    expect((await play(apply, { refresh: true })).code).toBe(0)
    expect(communication().envelope.tags).toEqual({ team: 'a' })
    expect((await play(compare)).code).toBe(0)
  })

  it('finds no changes if the workflow is started by hand without any', async () => {
    expect(await previewChanges({ refresh: true })).toBe('changes=false')
  })
})
