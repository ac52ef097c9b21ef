import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { startEmulator } from '../src/index.ts'

const run = promisify(execFile)
const addresses = ['127.0.0.1', '::1']
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
if (!hasIpv6) process.stdout.write('NOT RUN: the emulator on ::1, no IPv6\n')

/** Returns the loopback addresses that accept connections on a port. */
async function findListening(port: number): Promise<string[]> {
  const listening: string[] = []
  for (const host of addresses) {
    const socket = connect({ host, port })
    await once(socket, 'connect').then(
      () => listening.push(host),
      () => undefined,
    )
    socket.destroy()
  }
  return listening
}

it.runIf(hasIpv6)('serves every resource on both loopback addresses until it stops', async () => {
  const emulator = await startEmulator({ resources: [{ name: 'other' }] })
  const ports = emulator.resources.map(({ endpoint }) => Number(new URL(endpoint).port))
  for (const port of ports)
    for (const host of ['127.0.0.1', '[::1]']) {
      const response = await fetch(`https://${host}:${port}/_emulator/health`)
      expect([response.status, await response.json()]).toEqual([200, expect.any(Object)])
    }
  await emulator[Symbol.asyncDispose]()
  for (const port of ports) expect(await findListening(port)).toEqual([])
})

it.runIf(hasIpv6)('listens on a single address if one is given', async () => {
  await using emulator = await startEmulator({ host: '::1' })
  expect(await findListening(Number(new URL(emulator.endpoint).port))).toEqual(['::1'])
})

it.runIf(hasIpv6)('rejects a port in use on either address, and listens on neither', async () => {
  for (const address of addresses) {
    const server = createServer().listen(0, address)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await expect(startEmulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port })
    expect(await findListening(port)).toEqual([address])
  }
})

const cli = join(import.meta.dirname, '../src/cli.ts')
const roundTrip = join(import.meta.dirname, '../examples/access-tokens.mjs')

/** Runs a program with an emulator in a separate network, which a shell prepares. */
function execInNetwork(prepare: string, ...nodeArgs: readonly string[]) {
  const script = `ip link set lo up; ${prepare}; exec "$@"`
  const command = [process.execPath, ...nodeArgs, cli, 'exec', '--', process.execPath, roundTrip]
  return run('unshare', ['-rn', 'sh', '-ec', script, 'sh', ...command])
}

const hasNetworks = await run('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).then(
  () => true,
  () => false,
)
if (!hasNetworks) process.stdout.write('NOT RUN: the emulator in other networks, no unshare or ip for this user\n')

it.runIf(hasNetworks)('runs on a machine without IPv6', async () => {
  const { stdout } = await execInNetwork('echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6')
  expect(stdout).toMatch(/\ndeleted the identity\n$/)
})

it.runIf(hasNetworks && hasIpv6)('finds a port that is free on both addresses', async () => {
  // Half of the ports that Linux assigns first are in use on ::1.
  const take = 'import{createServer}from"node:net";for(let p=40000;p<40025;p++)createServer().listen(p,"::1").unref()'
  const { stdout } = await execInNetwork(
    'echo 40000 40099 > /proc/sys/net/ipv4/ip_local_port_range',
    `--import=data:text/javascript,${take}`,
  )
  expect(stdout).toMatch(/\ndeleted the identity\n$/)
})
