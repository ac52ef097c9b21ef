import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { wellKnownAccessKey } from '../src/index.ts'
import { cli, foreignVariables, keylessProgram, run, signedProgram, start } from './cli-fixture.ts'

it('prints variables for sh', async () => {
  const { output, exit } = run(['env'])
  expect(await exit).toMatchObject({ code: 0 })
  const shell = spawn('sh', ['-c', `${output.stdout}\necho "$COMMUNICATION_SERVICES_CONNECTION_STRING"`])
  const [line] = (await once(shell.stdout, 'data')) as [Buffer]
  expect(line.toString()).toBe(`endpoint=https://localhost:4380/;accesskey=${wellKnownAccessKey}\n`)
  for (const name of ['NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE']) {
    const path = new RegExp(`^export ${name}='(.+)'$`, 'm').exec(output.stdout)![1]!
    expect(readFileSync(path, 'utf8')).toContain('BEGIN CERTIFICATE')
  }
})

it('prints variables that work in a shell set up for another resource, identity and network', async () => {
  const { endpoint } = await start()
  const { output, exit } = run(['env', '--port', endpoint.port], foreignVariables)
  expect(await exit).toMatchObject({ code: 0 })
  for (const program of [signedProgram, keylessProgram]) {
    const shell = spawn('sh', ['-euc', `${output.stdout}exec "$0" "$1"`, process.execPath, program], {
      env: { ...process.env, ...foreignVariables },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    expect(await once(shell, 'close')).toEqual([0, null])
    expect(stderr).toBe('')
  }
})

it('prints variables for PowerShell and for another port', async () => {
  const { output, exit } = run(['env', '--shell', 'powershell', '--port', '5000'])
  expect(await exit).toMatchObject({ code: 0 })
  expect(output.stdout).toContain("$env:COMMUNICATION_SERVICES_CONNECTION_STRING = 'endpoint=https://localhost:5000/;")
  expect(output.stdout).toMatch(/^Remove-Item -ErrorAction Ignore .*Env:AZURE_CLIENT_SECRET, /m)
})

it.runIf(process.getuid)('writes files that only their owner can read or change, whatever the umask', async () => {
  const folder = join(temporaryFolder(), 'keys')
  const command = [process.execPath, cli, 'env', '--keys', folder].join(' ')
  const shell = spawn('sh', ['-c', `umask 0; ${command}`], { stdio: 'ignore' })
  expect(await once(shell, 'close')).toEqual([0, null])
  for (const path of ['.', ...(readdirSync(folder, { recursive: true }) as string[])])
    expect(statSync(join(folder, path)).mode & 0o077, path).toBe(0)
})
