import { expect, it } from 'vitest'
import { resourceNames } from '../naming.ts'

/** Suffix that azure-native appends. */
const suffix = '0a1b2c3d'
/** Azure's rules for the names of the types that are named after `base`. */
const rules = {
  'resource group': /^[-\w.()]{1,90}$/,
  'communication service': /^[a-z\d][-a-z\d]{0,61}[a-z\d]$/i,
  'managed identity': /^[a-z\d][-\w]{2,127}$/i,
  'App Service plan': /^[-a-z\d]{1,60}$/i,
  site: /^[a-z\d][-a-z\d]{0,58}[a-z\d]$/i,
}

const long = 'Feature_branch.of-a-team-that-likes-names-'.repeat(3)
const stacks = [
  'a',
  'prod',
  'Pull_Request.123',
  '_._',
  '-dev-',
  ...[35, 44, 45, 50, 51, 63, 100].map((n) => long.slice(0, n)),
]

it.each(stacks)('gives a stack named %s names that Azure accepts', (stack) => {
  for (const project of ['acs-kit', '_Fork.of-acs-kit']) {
    const { base, storage } = resourceNames(project, stack)
    for (const [type, rule] of Object.entries(rules)) expect(base + suffix, type).toMatch(rule)
    const accounts = ['map', 'pkg'].map((purpose) => storage(purpose) + suffix)
    for (const account of accounts) expect(account).toMatch(/^[a-z\d]{3,24}$/)
    expect(new Set(accounts).size).toBe(2)
  }
})

it('keeps names that are short enough, since new names would replace the resources', () => {
  const names = (stack: string) => {
    const { base, storage } = resourceNames('acs-kit', stack)
    return [base, storage('map'), storage('pkg')]
  }
  expect(names('dev')).toEqual(['acs-kit-dev', 'acskitdevmap', 'acskitdevpkg'])
  expect(names('production')).toEqual(['acs-kit-production', 'acskitproductmap', 'acskitproductpkg'])
  expect(names('Pull_Request.123-of-somebody')[0]).toBe('acs-kit-pull-request-123-of-somebody')
  expect(names('x'.repeat(44))[0]).toBe(`acs-kit-${'x'.repeat(44)}`)
})

it('distinguishes long names with a common prefix, deterministically', () => {
  const names = (stack: string) => {
    const { base, storage } = resourceNames('acs-kit', stack)
    return [base, storage('map')]
  }
  const all = ['a', 'b', 'B'].flatMap((end) => names(`${'x'.repeat(60)}${end}`))
  expect(new Set(all).size).toBe(6)
  expect(names(`${'x'.repeat(60)}a`)).toEqual([`acs-kit-${'x'.repeat(37)}-fb921a`, 'acskitxfb921amap'])
})
