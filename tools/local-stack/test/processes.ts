import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Returns the processes whose environment or command line contains `mark`, which is unique to a test. */
export function findProcesses(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      ['environ', 'cmdline'].some((name) =>
        readProc(() => readFileSync(`/proc/${pid}/${name}`, 'utf8'), '').includes(mark),
      ),
    )
    .map(Number)
}

export interface Listener {
  /** Address as in a URL. */
  readonly address: string
  readonly port: number
}

/** Returns where these processes accept TCP connections. */
export function findListeners(mark: string): Listener[] {
  const sockets = new Set(findProcesses(mark).flatMap(listOpenFiles))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // 0A is the state LISTEN.
      .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(`socket:[${inode}]`))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':')
        return { address: loopbackAddresses[address] ?? address, port: Number.parseInt(port, 16) }
      }),
  )
}

const loopbackAddresses: Readonly<Record<string, string>> = {
  '0100007F': '127.0.0.1',
  '00000000000000000000000001000000': '[::1]',
}

function listOpenFiles(pid: number): string[] {
  const names = readProc(() => readdirSync(`/proc/${pid}/fd`), [])
  return names.map((fd) => readProc(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''))
}

/** Processes and their files may disappear at any time. */
function readProc<Result>(read: () => Result, fallback: Result): Result {
  try {
    return read()
  } catch {
    return fallback
  }
}
