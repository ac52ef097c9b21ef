import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { build, transform, type Plugin } from 'esbuild'
import { zipSync, type Zippable } from 'fflate'

const require = createRequire(import.meta.url)

/**
 * Builds the service as a folder that needs only Node (`node server.js`), and as `<folder>.zip` for App Service.
 *
 * @param folder Output folder, which is replaced.
 * @returns Resolves when both are written. Equal sources give equal bytes.
 * @throws If a source does not compile or the folder cannot be written.
 * @example
 * await buildArtifact('/tmp/token-service')
 */
export async function buildArtifact(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: { server: join(import.meta.dirname, 'src/main.mjs') },
    outdir: folder,
    bundle: true,
    // Keeps dynamic imports in files of their own: a start with access keys does not load the keyless credential.
    splitting: true,
    // Identifiers are not minified, since they show in errors.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Bundled CommonJS packages require Node's built-in modules.
    banner: { js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);" },
    alias: {
      // A fallback for versions of Node without a global URL.
      'whatwg-url': 'node:url',
    },
    // Parts of Fastify for schemas of other kinds, and for tests.
    external: ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'],
    plugins: [requireBuiltins, preferModules, keepAbortSignal],
    logLevel: 'warning',
  })
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "engines": { "node": ">=24.12" } }\n')
  const swaggerUi = dirname(require.resolve('swagger-ui-dist/package.json'))
  await mkdir(join(folder, 'reference'))
  for (const name of ['LICENSE', 'NOTICE']) await cp(join(swaggerUi, name), join(folder, 'reference', name))
  // A third of the package, and a sixth smaller than in the zip. A higher quality would take seconds.
  const compress = promisify(brotliCompress)
  const compressed = ['swagger-ui.css', 'swagger-ui-bundle.js'].map(async (name) => {
    const content = await readFile(join(swaggerUi, name))
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 }
    await writeFile(join(folder, 'reference', `${name}.br`), await compress(content, { params }))
  })
  await Promise.all(compressed)
  await writeFile(`${folder}.zip`, await zip(folder))
}

/** Requires these modules of Node. Importing them reads all their exports, which loads undici and opens standard input. */
const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?(http|process)$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path: path.replace('node:', ''), namespace: 'builtin' } : undefined,
    )
    bundler.onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }))
  },
}

/** Bundles each of Azure's packages once: some are imported by our sources and required by other packages. */
const preferModules: Plugin = {
  name: 'prefer-modules',
  setup(bundler) {
    bundler.onResolve({ filter: /^@(azure|typespec|azure-rest)\// }, ({ path, kind, ...options }) =>
      kind === 'require-call' ? bundler.resolve(path, { ...options, kind: 'import-statement' }) : undefined,
    )
  },
}

/** The administration SDK recognizes an AbortSignal by the name of its class, which bundling changes. */
const keepAbortSignal: Plugin = {
  name: 'keep-abort-signal',
  setup(bundler) {
    bundler.onLoad({ filter: /abort-controller[\\/]dist[\\/]index\.js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { keepNames: true })
      return { contents: code }
    })
  },
}

async function zip(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files: Zippable = {}
  for (const path of paths.toSorted()) {
    const isCompressed = path.endsWith('.br')
    files[relative(folder, path).replaceAll(sep, '/')] = [await readFile(path), { level: isCompressed ? 0 : 9 }]
  }
  // A fixed date makes builds reproducible. Zip files store local time.
  return zipSync(files, { mtime: new Date(1980, 0, 2) })
}

if (import.meta.main) await buildArtifact(process.argv[2] ?? join(import.meta.dirname, 'dist'))
