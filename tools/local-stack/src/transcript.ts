import { styleText } from 'node:util'

/** Prints the progress of a run: titles, and completed steps with the seconds that each took. */
export class Transcript {
  #lastStepAt = performance.now()

  printTitle(text: string): void {
    this.#lastStepAt = performance.now()
    this.print(`\n${styleText('bold', text)}\n`)
  }

  printStep(name: string, result: string): void {
    const now = performance.now()
    const seconds = ((now - this.#lastStepAt) / 1000).toFixed(2)
    this.#lastStepAt = now
    this.print(`  ${name.padEnd(20)} ${styleText('dim', `${seconds.padStart(6)} s`)}  ${result}`)
  }

  print(line: string): void {
    process.stdout.write(`${line}\n`)
  }
}
