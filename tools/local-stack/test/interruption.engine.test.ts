import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { LocalEngine } from '../src/pulumi/local-engine.ts'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

const cli = await findPulumi()
const isNeeded = process.env['COMMUNICATION_TEST_PULUMI'] === 'required'
const emulatorScript = join(
  dirname(createRequire(import.meta.url).resolve('@acs-kit/communication-emulator')),
  'cli.ts',
)
const go = ['--yes', '--skip-preview']
const open = new AsyncDisposableStack()
/** Makes this process trust all emulators, and is where a stack may be made. */
let emulator: Emulator

beforeAll(async () => {
  emulator = open.use(await startEmulator())
})
afterAll(() => open.disposeAsync())

async function startEngine(metadataHost: string): Promise<LocalEngine> {
  const principal = { ...emulator.resourceManager.servicePrincipal, metadataHost }
  const engine = await LocalEngine.start(cli!, await startStandInProvider(principal))
  onTestFinished(() => engine[Symbol.asyncDispose]())
  const settings = [
    'azure-native:location=westeurope',
    'issuers[0].issuer=https://sign-in.example',
    'issuers[0].audience=api://acs-kit',
  ]
  await engine.run('config', 'set-all', '--path', ...settings.flatMap((setting) => ['--plaintext', setting]))
  return engine
}

/** Asks an emulator's administration or resource manager, as a person would with curl or az. */
async function ask(origin: string, method: string, path: string, body?: object): Promise<unknown> {
  const signIn = { user: 'platform', audience: 'https://management.azure.com' }
  const signedIn = await fetch(new URL('/_emulator/entra/sign-in', origin), {
    method: 'POST',
    body: JSON.stringify(signIn),
  })
  const { accessToken } = (await signedIn.json()) as { accessToken: string }
  const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' }
  const answer = await fetch(new URL(path, origin), { method, headers, ...(body && { body: JSON.stringify(body) }) })
  expect(answer.ok, `${method} ${path}`).toBe(true)
  return answer.json().catch(() => undefined)
}

/**
 * What was under way when something was killed exists, and the state does not know it: a name that is made up is made up
 * anew, and one that is given is in the way until somebody removes what has it.
 */
async function upUntilComplete(engine: LocalEngine, origin: string): Promise<string> {
  const { code, stdout, stderr } = await engine.run('up', ...go)
  if (code === 0) return stdout
  const [, inTheWay] = /cannot create already existing resource (\S+)/.exec(stdout + stderr) ?? []
  expect(inTheWay, stdout + stderr).toBeDefined()
  await ask(origin, 'DELETE', `${inTheWay}?api-version=2024-01-01`)
  return upUntilComplete(engine, origin)
}

/**
 * Processes that run our own code for an engine with this folder. The genuine language host does not: it takes up to five
 * minutes to notice that its CLI is gone.
 */
function ownProcesses(folder: string): string[] {
  const node = realpathSync(process.execPath)
  return readdirSync('/proc').filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`) === node && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder)
    } catch {
      return false
    }
  })
}

describe.runIf(cli !== undefined || isNeeded)('an up that is interrupted', () => {
  it.each([1, 6])('by kill -9 of the CLI after %i resources were made: cancel, up, and all is there', async (made) => {
    await emulator.reset()
    const engine = await startEngine(emulator.resourceManager.servicePrincipal.metadataHost)
    // Outlives the CLI, like the genuine language host.
    const host = spawn('sleep', ['300'], { env: { ...process.env, ...engine.env } })
    onTestFinished(() => void host.kill())
    emulator.faults.add({ operation: 'armPut', latencyMs: 200 })
    const child = engine.launch('up', ...go)
    const puts = () => emulator.requests.list().filter(({ operation }) => operation === 'armPut').length
    await expect.poll(puts, { interval: 1 }).toBeGreaterThanOrEqual(made)
    child.kill('SIGKILL')
    await once(child, 'close')
    emulator.faults.clear()
    if (process.platform === 'linux') await expect.poll(() => ownProcesses(engine.folder)).toEqual([])

    const locked = await engine.run('up', ...go)
    expect([locked.code, locked.stderr]).toEqual([expect.any(Number), expect.stringMatching(/locked.*pulumi cancel/s)])
    expect(locked.code).not.toBe(0)
    expect((await engine.run('cancel', '--yes')).code).toBe(0)
    const origin = emulator.resourceManager.servicePrincipal.metadataHost
    expect(await upUntilComplete(engine, origin)).toMatch(/interrupted while creating/)
    expect((await engine.run('up', ...go)).stdout).toMatch(/13 unchanged/)
    expect((await engine.run('destroy', ...go)).code).toBe(0)
    // What the state never knew was in the group, and went with it; but not a group that it never knew.
    const left = emulator.resourceManager.resources().map(({ id }) => id.type)
    expect(left).toEqual(made === 1 ? ['Microsoft.Resources/resourceGroups'] : [])
  })

  it('by kill -9 of the emulator: a clear message, and up completes it once the emulator is back', async () => {
    const data = mkdtempSync(join(tmpdir(), 'acs-kit-test-'))
    onTestFinished(() => rmSync(data, { recursive: true, force: true }))
    const start = (port: string) =>
      ServerProcess.start({
        script: emulatorScript,
        args: ['start', '--port', port, '--data', data],
        ready: /https:\S+/,
      })
    const first = await start('0')
    onTestFinished(() => first.kill())
    const origin = new URL(/https:\/\/localhost:\d+/.exec(first.stdout)![0]).origin
    const engine = await startEngine(origin)
    await ask(origin, 'POST', '/_emulator/faults', { operation: 'armPut', latencyMs: 200 })
    const child = engine.launch('up', ...go)
    const puts = async () => {
      const requests = (await ask(origin, 'GET', '/_emulator/requests')) as { operation: string }[]
      return requests.filter(({ operation }) => operation === 'armPut').length
    }
    await expect.poll(puts, { interval: 5 }).toBeGreaterThanOrEqual(3)
    await first.kill()
    let said = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).not.toBe(0)
    expect(said).toContain(`nothing answers at ${origin}`)

    const down = await engine.run('up', ...go)
    expect(down.stdout + down.stderr).toContain(`nothing answers at ${origin}`)
    await using _again = await start(new URL(origin).port)
    await upUntilComplete(engine, origin)
    expect((await engine.run('up', ...go)).stdout).toMatch(/13 unchanged/)
    expect((await engine.run('destroy', ...go)).code).toBe(0)
    const { subscriptionId } = emulator.resourceManager.servicePrincipal
    const groups = await ask(origin, 'GET', `/subscriptions/${subscriptionId}/resourcegroups?api-version=2024-03-01`)
    expect(groups).toEqual({ value: [] })
  })
})
