import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Emulator } from '@acs-kit/communication-emulator'
import { afterAll, describe, expect, it } from 'vitest'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { prepareCommand, type CommandOptions } from './infra-command.ts'
import { runPulumi, runsEngine } from './pulumi-process.ts'
import { runSite, type RunningSite } from './running-site.ts'
import { TokenUsers } from './token-users.ts'

const hourMs = 60 * 60_000
/** Each test runs Pulumi several times. */
const timeoutMs = 300_000
const command = fileURLToPath(import.meta.resolve('@acs-kit/infra/rotate'))

// Each step builds on the ones before it.
describe.runIf(runsEngine)(
  'npm run rotate, with the genuine engine and the stand-in provider',
  { timeout: timeoutMs },
  () => {
    const open = new AsyncDisposableStack()
    let emulator: Emulator
    let engine: LocalEngine
    let site: RunningSite
    let users: TokenUsers
    let run: ReturnType<typeof prepareCommand>

    useEngine(
      async (azure) => {
        ;({ emulator, engine } = azure)
        await engine.up()
        site = open.use(await runSite(emulator))
        users = open.use(new TokenUsers(emulator, site.url))
        users.start()
        run = prepareCommand(command, engine, emulator)
      },
      { storage: 'table' },
    )
    // Before the emulator stops.
    afterAll(() => open.disposeAsync())

    const configPath = () => join(engine.folder, 'Pulumi.local.yaml')
    const readConfig = () => readFileSync(configPath(), 'utf8')
    const resource = () => emulator.resources.at(-1)!
    const pulumi = async (...args: string[]) => expect((await runPulumi(engine, ...args)).code, args.join(' ')).toBe(0)
    const countRegenerations = () =>
      emulator.requests.list().filter(({ path }) => path.endsWith('/regenerateKey')).length

    /** Runs the command with the emulator's clock. The name of the site in Azure leads to the running site. */
    const rotate = (args: string[] = [], options: CommandOptions = {}) => {
      const preload = `
      const [readClock, fetchUrl] = [Date.now, fetch]
      Date.now = () => readClock() + ${emulator.clock.offset}
      const siteName = new RegExp('^https://[-a-z0-9]+[.]azurewebsites[.]localhost')
      globalThis.fetch = (url, init) => fetchUrl(String(url).replace(siteName, '${site.url}'), init)`
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`, ...options.env }
      return run(['local', ...args], { ...options, env })
    }
    /** Kills the command with the Pulumi CLI that it runs, unless it has ended. */
    const kill = ({ pid, exitCode, signalCode }: ChildProcess) => {
      if (exitCode === null && signalCode === null) process.kill(-pid!, 'SIGKILL')
    }

    /** Runs the command until it calls Pulumi with arguments that match a pattern, and kills both before that call. */
    async function killBefore(pattern: string): Promise<string> {
      const { code, stdout, stderr } = await rotate([], { env: { KILL_AT: pattern } })
      expect(code, `${pattern}: ${stdout}${stderr}`).toBeNull()
      return stdout
    }

    /** Requires that no request was rejected, no token ended early, and that new tokens are issued with this key. */
    async function expectService(activeKey: 'primary' | 'secondary'): Promise<void> {
      await site.settle()
      const { token } = await users.request(randomUUID())
      expect(emulator.introspect(token!)).toMatchObject({ state: 'valid', accessKey: activeKey })
      users.checkTokens()
      expect([users.rejections, users.endedEarly]).toEqual([[], []])
    }

    /** Moves the clock while no user sends a request, because the service follows a moment later. */
    async function advanceClock(ms: number): Promise<void> {
      await users.stop()
      users.checkTokens()
      emulator.clock.advance(ms)
      await expect.poll(async () => (await users.request('probe')).rejection).toBeUndefined()
      users.start()
    }

    it('does not start while the stack has changes that are not deployed', async () => {
      await engine.configure({ sku: 'P0v3' })
      const before = readConfig()
      const { code, stderr } = await rotate()
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          /^rotate: stack local has changes .* run `pulumi up` .*: update AppServicePlan acs-kit-local\n/,
        ),
      ])
      expect(readConfig()).toBe(before)
      await engine.stack.removeConfig('sku')
    })

    it('switches to the other key, in spite of kills during and after the update', async () => {
      await expectService('primary')
      emulator.faults.add({ operation: 'armPut', latencyMs: 1000, count: 1 })
      const killed = await rotate([], {
        onOutput: (child, text) => {
          if (/WebApp \S+ updating/.test(text)) kill(child)
        },
      })
      expect(killed.code, killed.stdout + killed.stderr).toBeNull()
      const locked = await rotate()
      expect([locked.code, locked.stdout + locked.stderr]).toEqual([1, expect.stringMatching(/locked.*pulumi cancel/s)])
      await pulumi('cancel', '--yes')
      expect(await killBefore('*rotation.switchedAt*')).toContain('1/5 deployed')
      expect(readConfig()).not.toContain('switchedAt')

      const { code, stdout } = await rotate()
      expect([code, stdout]).toEqual([2, expect.stringMatching(/1\/5 done.*\nCommit infra\/Pulumi\.local\.yaml/)])
      expect(stdout).toMatch(/Run `npm run rotate -- local` again after \d{4}-\S+Z to continue\.\n$/)
      expect(readConfig()).toMatch(/activeKey: secondary\n.*rotation:\n +key: primary\n +switchedAt: \S+\n/)
      await expectService('secondary')
    })

    it('waits again after an update with an older configuration', async () => {
      const switched = readConfig()
      await engine.configure({ activeKey: 'primary' })
      await engine.stack.removeConfig('rotation')
      await engine.up()
      await expectService('primary')
      writeFileSync(configPath(), switched)
      await engine.up()
      const { code, stdout } = await rotate()
      expect([code, stdout]).toEqual([2, expect.stringMatching(/prefer the primary key again: the wait starts over/)])
      expect(readConfig()).not.toBe(switched)
      await expectService('secondary')
    })

    it('regenerates the former key after its last token has expired, in spite of kills at every step', async () => {
      const { connectionString, secondaryConnectionString } = resource()
      await advanceClock(23 * hourMs)
      const early = await rotate()
      users.checkTokens()
      expect(users.endedEarly).toEqual([])
      expect([early.code, countRegenerations()]).toEqual([2, 0])
      await advanceClock(2 * hourMs)
      for (const pattern of ['*rotation.regeneratedAt*', '* up *', '* config rm rotation *']) await killBefore(pattern)
      // The kill before it was recorded repeats it.
      expect(countRegenerations()).toBe(2)
      const { code, stdout } = await rotate()
      expect([code, stdout]).toEqual([0, expect.stringMatching(/5\/5 done: the primary key is replaced/)])
      expect(countRegenerations()).toBe(2)
      expect(resource().connectionString).not.toBe(connectionString)
      expect(resource().secondaryConnectionString).toBe(secondaryConnectionString)
      expect(readConfig()).toMatch(/activeKey: secondary\n/)
      expect(readConfig()).not.toContain('rotation')
      await expectService('secondary')
    })

    it('replaces a leaked key at once, and rejects no request', async () => {
      const leaked = resource().secondaryConnectionString
      const { code, stdout } = await rotate(['--now', 'secondary', '--yes'])
      expect([code, stdout]).toEqual([0, expect.stringMatching(/5\/5 done: the secondary key is replaced/)])
      expect(resource().secondaryConnectionString).not.toBe(leaked)
      await site.settle()
      const { token } = await users.request(randomUUID())
      expect(emulator.introspect(token!)).toMatchObject({ state: 'valid', accessKey: 'primary' })
      users.checkTokens()
      expect(users.rejections).toEqual([])
      // A token that arrived while its key was regenerated has no key any more.
      expect(new Set(users.endedEarly.filter((key) => key !== undefined))).toEqual(new Set(['secondary']))
    })
  },
)
