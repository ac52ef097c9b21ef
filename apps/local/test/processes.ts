import { readdirSync, readFileSync } from 'node:fs'

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
