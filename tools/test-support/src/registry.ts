import { execFileSync } from 'node:child_process'
import { childEnvironment } from './child-environment.ts'

/** Settings of the registry, which npm and pnpm otherwise read from files. */
const settings = Object.entries(process.env).filter(([name]) =>
  /^npm_config_(?:registry|userconfig|cafile)$/i.test(name),
)

/** Environment of package managers. Packages that are younger than three days are not installed, and no script runs. */
export const installEnvironment = childEnvironment(
  { ...Object.fromEntries(settings), npm_config_min_release_age: '3', npm_config_ignore_scripts: 'true' },
  { isOnline: true },
)

/** Whether tests can install packages. A message reports if they cannot; in CI, that is an error. */
export const hasRegistry = findRegistry()

function findRegistry(): boolean {
  try {
    execFileSync('npm', ['view', 'node', 'version', '--fetch-retries', '1'], { env: installEnvironment, stdio: 'pipe' })
    return true
  } catch (error) {
    if (process.env['CI']) throw error
    process.stdout.write('NOT RUN: tests that install packages, no npm registry found\n')
    return false
  }
}
