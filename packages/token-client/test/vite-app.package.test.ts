import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { build, type Rollup } from 'vite'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

/** The tsconfig.json of `npm create vite@9.3.0 -- --template vanilla-ts`; those of the other templates have the same options. */
const viteConfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'esnext',
    lib: ['ES2023', 'DOM'],
    types: ['vite/client'],
    allowArbitraryExtensions: true,
    skipLibCheck: true,
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    moduleDetection: 'force',
    noEmit: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
    noFallthroughCasesInSwitch: true,
  },
  include: ['src'],
}
const es2022 = { ...viteConfig.compilerOptions, target: 'es2022', lib: ['ES2022', 'DOM'] }

const source = `
  import { tokenSource } from '@acs-kit/token-client'
  import { conformanceCases } from '@acs-kit/token-client/conformance'
  import { tokenCredential } from '@acs-kit/token-client/credential'
  using tokens = tokenSource({ url: 'https://tokens.example.com', getSignInToken: () => 'a-token' })
  console.log(tokenCredential(tokens), conformanceCases({ url: '', getSignInToken: () => '' }))
  // @ts-expect-error -- checks that the types are not any
  console.log(tokens.unknown)
`

// The app links to the package and reads its sources, like an app in this workspace.
it.each([
  ['the tsconfig of the templates', viteConfig],
  ['ES2022', { ...viteConfig, compilerOptions: es2022 }],
])('compiles and bundles in a Vite app with %s', async (_name, config) => {
  const app = temporaryFolder()
  const link = (name: string, target: string) => {
    mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true })
    symlinkSync(target, join(app, 'node_modules', name))
  }
  link('@acs-kit/token-client', root)
  link('vite', join(root, 'node_modules/vite'))
  mkdirSync(join(app, 'src'))
  writeFileSync(join(app, 'package.json'), '{ "type": "module", "private": true }')
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(app, 'index.html'), '<script type="module" src="/src/main.ts"></script>')
  writeFileSync(join(app, 'src/main.ts'), source)

  const tsc = join(root, '../../node_modules/.bin/tsc')
  const { stdout } = await promisify(execFile)(tsc, ['-p', app]).catch((error: unknown) => error as { stdout: string })
  expect(stdout).toBe('')
  const { output } = (await build({ root: app, configFile: false, logLevel: 'error' })) as Rollup.RollupOutput
  expect(output.some((file) => file.type === 'chunk' && file.code.includes('v1/token/revoke'))).toBe(true)
})
