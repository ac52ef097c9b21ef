import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { buildArtifact } from '../build.ts'
import { ServiceFixture } from './service-fixture.ts'

const artifact = new TemporaryFolder()
const script = artifact.join('package/server.js')
const uid = process.getuid?.()
const name = `token-service-${uid}`

beforeAll(() => buildArtifact(artifact.join('package')))
afterAll(() => artifact[Symbol.dispose]())

/** Starts without settings, which ends the process after its modules have loaded. Returns the cached modules that Node used. */
async function startAndFail(env: NodeJS.ProcessEnv): Promise<string[]> {
  await using server = ServerProcess.launch({ script, env: { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } })
  expect(await server.exit()).toBe(1)
  expect(server.stderr).toContain('Invalid configuration:')
  return [...server.stderr.matchAll(/(\w+)-\w+\.js was accepted/g)].map(([, module]) => module!)
}

function createTemporaryFolder(): TemporaryFolder {
  const folder = new TemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  return folder
}

describe.runIf(uid !== undefined)('the compile cache', () => {
  it('is used by the second start, in a folder that only this user can read and write', async () => {
    const folder = createTemporaryFolder()
    const files = readdirSync(artifact.path, { recursive: true })
    expect(await startAndFail({ TMPDIR: folder.path })).toEqual([])
    expect(lstatSync(folder.join(name)).mode & 0o777).toBe(0o700)
    expect(await startAndFail({ TMPDIR: folder.path })).toContain('server')
    expect(readdirSync(artifact.path, { recursive: true })).toEqual(files)
  })

  it('is written as soon as the service listens, before a kill', async () => {
    await using fixture = await ServiceFixture.start()
    const folder = createTemporaryFolder()
    const env = { ...fixture.env, HOST: '127.0.0.1', PORT: '0', TMPDIR: folder.path }
    await using server = await ServerProcess.start({ script, env, ready: /the service listens/ })
    await expect.poll(() => readdirSync(folder.join(name), { recursive: true }).length).toBeGreaterThan(1)
    // Writing blocks the process: it responds once all files are written.
    await fetch(`${/"address":"([^"]+)"/.exec(server.stdout)![1]}/healthz`)
    await server.kill()
    expect(await startAndFail({ TMPDIR: folder.path })).toContain('server')
  })

  it('is in the folder of NODE_COMPILE_CACHE, if it is set', async () => {
    const folder = createTemporaryFolder()
    const env = { TMPDIR: folder.path, NODE_COMPILE_CACHE: folder.join('chosen') }
    await startAndFail(env)
    expect(readdirSync(folder.path)).toEqual(['chosen'])
    expect(await startAndFail(env)).toContain('server')
  })

  it('is omitted if the temporary folder is missing or not a folder', async () => {
    const folder = createTemporaryFolder()
    writeFileSync(folder.join('file'), '')
    await startAndFail({ TMPDIR: folder.join('missing') })
    await startAndFail({ TMPDIR: folder.join('file') })
    expect(readdirSync(folder.path)).toEqual(['file'])
  })

  const attacks: [name: string, prepare: (folder: TemporaryFolder) => void][] = [
    ['write to its folder', (folder) => makeFolder(folder.join(name), 0o777)],
    ['write to the folder it is in', (folder) => chmodSync(folder.path, 0o777)],
    [
      'choose its folder by a link',
      (folder) => {
        makeFolder(folder.join('target'), 0o700)
        symlinkSync(folder.join('target'), folder.join(name))
      },
    ],
  ]
  // Only root can give folders to other users.
  if (uid === 0) {
    attacks.push(['own its folder', (folder) => makeFolder(folder.join(name), 0o700, 1)])
    attacks.push(['own the folder it is in', (folder) => chownSync(folder.path, 1, 1)])
  }
  it.each(attacks)('is omitted if others can %s', async (_, prepare) => {
    const folder = createTemporaryFolder()
    prepare(folder)
    await startAndFail({ TMPDIR: folder.path })
    expect(await startAndFail({ TMPDIR: folder.path })).toEqual([])
    const [entry] = readdirSync(folder.path)
    expect(readdirSync(folder.join(entry!))).toEqual([])
  })
})

/** The mode does not depend on the process's mask. */
function makeFolder(path: string, mode: number, owner?: number): void {
  mkdirSync(path)
  chmodSync(path, mode)
  if (owner !== undefined) chownSync(path, owner, owner)
}
