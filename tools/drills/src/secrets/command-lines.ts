import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const intervalMs = 20

/** The command lines of all processes of the machine, as anybody on it can read them, from now until it is disposed. */
export class CommandLines implements Disposable {
  readonly seen: Set<string>
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.seen = new Set()
    this.#timer = setInterval(() => this.look(), intervalMs)
  }

  look(): void {
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
        // It ended in between.
        return ''
      }
    })
}

function readPs(): string[] {
  return execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' }).split('\n')
}
