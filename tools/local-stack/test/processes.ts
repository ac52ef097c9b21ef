import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Processes whose environment or command shows that they belong to this test. */
export function processesOf(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return ['environ', 'cmdline'].some((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8').includes(mark))
      } catch {
        return false
      }
    })
    .map(Number)
}

export interface Listener {
  /** As URLs have it. */
  readonly address: string
  readonly port: number
}

/** Where these processes accept TCP connections. */
export function listenersOf(mark: string): Listener[] {
  const sockets = new Set(processesOf(mark).flatMap(filesOf))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // 0A: it listens.
      .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(`socket:[${inode}]`))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':')
        return { address: loopback[address] ?? address, port: Number.parseInt(port, 16) }
      }),
  )
}

const loopback: Readonly<Record<string, string>> = {
  '0100007F': '127.0.0.1',
  '00000000000000000000000001000000': '[::1]',
}

/** Files that a process has open, without those it is closing. */
function filesOf(pid: number): string[] {
  const read = <Result>(get: () => Result, otherwise: Result): Result => {
    try {
      return get()
    } catch {
      return otherwise
    }
  }
  const open = read(() => readdirSync(`/proc/${pid}/fd`), [])
  return open.map((fd) => read(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''))
}
