import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { emulatorScript } from '../src/emulator-process.ts'
import { startEmulatedEngine } from '../src/pulumi/emulated-engine.ts'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'
import { cli, launchPulumi, runPulumi, runsEngine } from './pulumi-process.ts'

const noPrompt = ['--yes', '--skip-preview']
const open = new AsyncDisposableStack()
/** Makes this process trust all emulators, and hosts some of the stacks. */
let emulator: Emulator

beforeAll(async () => {
  emulator = open.use(await startEmulator())
})
afterAll(() => open.disposeAsync())

async function startEngine(metadataHost: string): Promise<LocalEngine> {
  const principal = { ...emulator.resourceManager.servicePrincipal, metadataHost }
  const provider = await startStandInProvider(principal)
  const engine = await startEmulatedEngine({ cli: cli!, emulator, provider })
  onTestFinished(() => engine[Symbol.asyncDispose]())
  return engine
}

/** Sends a request to an emulator's administration or resource manager, as a user would with curl or az. */
async function send(origin: string, method: string, path: string, body?: object): Promise<unknown> {
  const signIn = { user: 'platform', audience: 'https://management.azure.com' }
  const signedIn = await fetch(new URL('/_emulator/entra/sign-in', origin), {
    method: 'POST',
    body: JSON.stringify(signIn),
  })
  const { accessToken } = (await signedIn.json()) as { accessToken: string }
  const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' }
  const response = await fetch(new URL(path, origin), { method, headers, ...(body && { body: JSON.stringify(body) }) })
  expect(response.ok, `${method} ${path}`).toBe(true)
  return response.json().catch(() => undefined)
}

/**
 * A resource that was being created at a kill exists, but not in the state. One with a generated name is created again
 * under a new name; one with a fixed name, or a role assignment, has to be deleted first.
 */
async function upUntilComplete(engine: LocalEngine, origin: string): Promise<string> {
  const { code, stdout, stderr } = await runPulumi(engine, 'up', ...noPrompt)
  if (code === 0) return stdout
  const text = stdout + stderr
  const existing = text.includes('Code="RoleAssignmentExists"')
    ? emulator.resourceManager.resources().find(({ id }) => id.type.endsWith('/roleAssignments'))?.id.id
    : /cannot create already existing resource '(\S+)'/.exec(text)?.[1]
  expect(existing, text).toBeDefined()
  await send(origin, 'DELETE', `${existing}?api-version=2024-01-01`)
  return upUntilComplete(engine, origin)
}

/**
 * Processes that run our code for an engine with this folder. Excludes the genuine language host, which takes up to five
 * minutes to detect that its CLI has ended.
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

describe.runIf(runsEngine)('an interrupted up', () => {
  // The sixth is the table, and the seventh the role on it.
  it.each([1, 6, 7])('completes after kill -9 of the CLI at %i resources, once it is unlocked', async (minPuts) => {
    await emulator.reset()
    const engine = await startEngine(emulator.resourceManager.servicePrincipal.metadataHost)
    // Outlives the CLI, like the genuine language host.
    const host = spawn('sleep', ['300'], { env: { ...process.env, ...engine.env } })
    onTestFinished(() => void host.kill())
    emulator.faults.add({ operation: 'armPut', latencyMs: 200 })
    const child = launchPulumi(engine, 'up', ...noPrompt)
    const puts = () => emulator.requests.list().filter(({ operation }) => operation === 'armPut').length
    await expect.poll(puts, { interval: 1 }).toBeGreaterThanOrEqual(minPuts)
    child.kill('SIGKILL')
    await once(child, 'close')
    emulator.faults.clear()
    if (process.platform === 'linux') await expect.poll(() => ownProcesses(engine.folder)).toEqual([])

    const locked = await runPulumi(engine, 'up', ...noPrompt)
    expect([locked.code, locked.stderr]).toEqual([expect.any(Number), expect.stringMatching(/locked.*pulumi cancel/s)])
    expect(locked.code).not.toBe(0)
    await expect(engine.up()).rejects.toThrow(/^pulumi up failed: .*locked.*pulumi cancel/s)
    expect((await runPulumi(engine, 'cancel', '--yes')).code).toBe(0)
    const origin = emulator.resourceManager.servicePrincipal.metadataHost
    expect(await upUntilComplete(engine, origin)).toMatch(/interrupted while creating/)
    expect((await runPulumi(engine, 'up', ...noPrompt)).stdout).toMatch(/16 unchanged/)
    expect((await runPulumi(engine, 'destroy', ...noPrompt)).code).toBe(0)
    // Deleting the group deletes unrecorded resources in it, but an unrecorded group remains.
    const left = emulator.resourceManager.resources().map(({ id }) => id.type)
    expect(left).toEqual(minPuts === 1 ? ['Microsoft.Resources/resourceGroups'] : [])
  })

  it('fails with a clear message after kill -9 of the emulator, and completes once it runs again', async () => {
    const data = temporaryFolder()
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
    await send(origin, 'POST', '/_emulator/faults', { operation: 'armPut', latencyMs: 200 })
    const child = launchPulumi(engine, 'up', ...noPrompt)
    const puts = async () => {
      const requests = (await send(origin, 'GET', '/_emulator/requests')) as { operation: string }[]
      return requests.filter(({ operation }) => operation === 'armPut').length
    }
    await expect.poll(puts, { interval: 5 }).toBeGreaterThanOrEqual(3)
    await first.kill()
    let output = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).not.toBe(0)
    expect(output).toContain(`no response from ${origin}`)

    const down = await runPulumi(engine, 'up', ...noPrompt)
    expect(down.stdout + down.stderr).toContain(`no response from ${origin}`)
    await using _again = await start(new URL(origin).port)
    await upUntilComplete(engine, origin)
    expect((await runPulumi(engine, 'up', ...noPrompt)).stdout).toMatch(/16 unchanged/)
    expect((await runPulumi(engine, 'destroy', ...noPrompt)).code).toBe(0)
    const { subscriptionId } = emulator.resourceManager.servicePrincipal
    const groups = await send(origin, 'GET', `/subscriptions/${subscriptionId}/resourcegroups?api-version=2024-03-01`)
    expect(groups).toEqual({ value: [] })
  })
})
