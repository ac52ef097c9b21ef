// Runs the drills in their long form; the tests run a short form. Exits with 1 if a drill finds a violation.
import { inspect } from 'node:util'
import { dropProxies } from '@acs-kit/test-support/child-environment'
import { exitOnSignals } from '@acs-kit/test-support/signals'
import { Command, InvalidArgumentError } from 'commander'
import { drills } from './drills.ts'

const names = Object.keys(drills)
const list = names.map((name) => `  ${name.padEnd(24)}  ${drills[name]!.violation}\n`)
const program = new Command('npm run drill --')
  .description('try to cause failures in real processes; exit with 1 if one occurs')
  .argument('[name...]', 'drills to run (default: all)')
  .option('--seed <number>', 'seed of all random choices (default: a new one, which is printed)', parseSeed)
  .showHelpAfterError()
  .addHelpText('after', `\nDrills and the failures that they try to cause:\n${list.join('')}`)
  .parse()

exitOnSignals()
dropProxies()
const { seed = Date.now() % 2 ** 31 } = program.opts<{ seed?: number }>()
const unknown = program.args.filter((name) => !Object.hasOwn(drills, name))
if (unknown.length > 0) program.error(`error: unknown drill ${unknown.join(', ')}`, { exitCode: 2 })
const chosen = program.args.length > 0 ? program.args : names
const width = Math.max(...chosen.map((name) => name.length))
process.stdout.write(`seed ${seed}\n`)
for (const name of chosen) {
  const { violation, run } = drills[name]!
  const start = performance.now()
  let verdict = 'ok'
  let details
  try {
    details = Object.entries((await run(seed)) ?? {})
      .map(([what, value]) => `${what}: ${value}`)
      .join(', ')
  } catch (error) {
    verdict = 'FAILED'
    details = inspect(error)
    process.exitCode = 1
  }
  const seconds = Math.round((performance.now() - start) / 1000)
  process.stdout.write(`${name.padEnd(width)}  ${verdict.padEnd(8)}  ${String(seconds).padStart(4)} s  ${violation}\n`)
  process.stdout.write(details.replaceAll(/^/gm, ' '.repeat(width + 2)) + '\n')
}

function parseSeed(text: string): number {
  const seed = Number(text)
  if (!Number.isInteger(seed)) throw new InvalidArgumentError('Expected an integer.')
  return seed
}
