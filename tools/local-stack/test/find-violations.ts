import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from '@acs-kit/test-support/browser'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Returns the accessibility rules that a page violates, each with its elements. */
export async function findViolations(page: Page): Promise<[string, ...string[]][]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(axe)
  return page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))',
  )
}
