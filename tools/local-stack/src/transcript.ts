import { styleText } from 'node:util'

/** Prints what happens for a person to watch: titles, and steps with the seconds that each took. */
export class Transcript {
  #last = performance.now()

  title(text: string): void {
    this.#last = performance.now()
    this.say(`\n${styleText('bold', text)}\n`)
  }

  /** `what` has just been done. */
  step(what: string, text: string): void {
    const now = performance.now()
    const seconds = ((now - this.#last) / 1000).toFixed(2)
    this.#last = now
    this.say(`  ${what.padEnd(20)} ${styleText('dim', `${seconds.padStart(6)} s`)}  ${text}`)
  }

  say(line: string): void {
    process.stdout.write(`${line}\n`)
  }
}
