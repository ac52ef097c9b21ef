import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const intervalMs = 20

/** Collects the command lines of all processes of this machine, which every user can read, until it is disposed. */
export class CommandLines implements Disposable {
  readonly seen = new Set<string>()
  readonly #timer = setInterval(() => this.#collect(), intervalMs)

  #collect(): void {
    for (const line of process.platform === 'linux' ? readProc() : readPs()) this.seen.add(line)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

function readProc(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        // The process has exited.
        return ''
      }
    })
}

function readPs(): string[] {
  return execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' }).split('\n')
}
