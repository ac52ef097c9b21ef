import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { findProcesses } from './processes.ts'

const root = join(import.meta.dirname, '../../..')
const source = join(dirname(fileURLToPath(import.meta.resolve('fastify-communication-tokens/main'))), 'server.ts')
const script = join(root, 'tools/local-stack/src/dev.ts')
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']

/** Replaces a file as `sed -i`, `git checkout` and many editors do. */
function replace(path: string): void {
  const draft = `${path}.${process.pid}`
  copyFileSync(path, draft)
  renameSync(draft, path)
}

describe.runIf(process.platform === 'linux')('npm run dev', () => {
  it.each([
    { signal: 'SIGTERM', level: 'warn', isLogged: false, complaint: '' },
    {
      signal: 'SIGKILL',
      level: 'verbose',
      isLogged: true,
      complaint: 'acs-kit: LOG_LEVEL ignored: must be error or warn or info or debug\n',
    },
  ] as const)(
    'restarts the service on every change with LOG_LEVEL=$level, and leaves nothing after $signal',
    async ({ signal, level, isLogged, complaint }) => {
      const data = temporaryFolder()
      const getGitStatus = async () => (await promisify(execFile)('git', ['status', '--short'], { cwd: root })).stdout
      const before = await getGitStatus()
      await using dev = await ServerProcess.start({
        script,
        args: ['--data', data, ...freePorts],
        env: { ...process.env, LOG_LEVEL: level, TMPDIR: data },
        ready: /^call/m,
      })
      expect(dev.stderr).toBe(complaint)
      const log = /^\{.*"address":/m
      if (isLogged) await expect.poll(() => dev.stdout).toMatch(log)
      else expect(dev.stdout).not.toMatch(log)
      const demo = /^open +(\S+)/m.exec(dev.stdout)![1]!
      const getAddress = async () => {
        const config = await fetch(new URL('config.json', demo))
        return ((await config.json()) as { serviceUrl: string }).serviceUrl
      }
      let address = await getAddress()
      for (const change of [replace, replace, (path: string) => writeFileSync(path, readFileSync(path))]) {
        expect((await fetch(`${address}/healthz`)).status).toBe(200)
        change(source)
        await expect.poll(getAddress).not.toBe(address)
        address = await getAddress()
      }
      expect((await fetch(`${address}/healthz`)).status).toBe(200)
      // This program, Azurite and the service.
      expect(findProcesses(data)).toHaveLength(3)
      process.kill(dev.pid, signal)
      await dev.exit()
      await expect.poll(() => findProcesses(data)).toEqual([])
      expect(await getGitStatus()).toBe(before)
    },
  )

  it('prints the steps of each request with --trace, also after a restart', async () => {
    const data = temporaryFolder()
    await using dev = await ServerProcess.start({
      script,
      args: ['--trace', '--data', data, ...freePorts],
      env: { ...process.env, TMPDIR: data, NO_COLOR: '1' },
      ready: /^call/m,
    })
    const demo = /^open +(\S+)/m.exec(dev.stdout)![1]!
    const getAddress = async () => {
      const config = await fetch(new URL('config.json', demo))
      return ((await config.json()) as { serviceUrl: string }).serviceUrl
    }
    const block =
      /^trace [\da-f]{32}\n +0 ms +[\d.]+ ms {2}GET \/v1\/identity {2}401 {2}token-missing\n +\d+ ms +[\d.]+ ms {2}└─ verify sign-in {2}token-missing\n\n/gm
    const address = await getAddress()
    await fetch(`${address}/healthz`)
    await fetch(`${address}/v1/identity`)
    await expect.poll(() => dev.stdout.match(block)).toHaveLength(1)
    replace(source)
    await expect.poll(getAddress).not.toBe(address)
    await fetch(`${await getAddress()}/v1/identity`)
    await expect.poll(() => dev.stdout.match(block)).toHaveLength(2)
    expect(dev.stdout.match(/^trace /gm)).toHaveLength(2)
  })

  it('reports a service that dies, and restarts it on the next change', async () => {
    const data = temporaryFolder()
    await using dev = await ServerProcess.start({
      script,
      args: ['--data', data, ...freePorts],
      env: { ...process.env, TMPDIR: data },
      ready: /^call/m,
    })
    const findService = () =>
      findProcesses(data).find((pid) => readFileSync(`/proc/${pid}/cmdline`).includes('token-service'))
    const dead = findService()!
    process.kill(dead, 'SIGKILL')
    await expect
      .poll(() => dev.stderr)
      .toMatch(/^acs-kit: token service exited with SIGKILL.*: restarts on the next change of its sources\n$/)
    expect(dev.isRunning).toBe(true)
    replace(source)
    await expect.poll(findService).toEqual(expect.any(Number))
  })
})

it.runIf(process.platform === 'linux')('names the remedy for a data folder that cannot be created', async () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  for (const data of ['/proc/x', file]) {
    await using dev = ServerProcess.launch({ script, args: ['--data', data, ...freePorts], env: process.env })
    expect(await dev.exit()).toBe(1)
    expect(dev.stderr).toMatch(
      /^acs-kit: the folder .* cannot be used: E[A-Z]+: .*: choose a writable folder with --data\n$/,
    )
  }
})
