import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { zipSync } from 'fflate'

const require = createRequire(import.meta.url)
const sdks = '@acs-kit/communication-identity'

/** Writes the service as a folder that needs nothing but Node: `node server.js`. */
export async function buildArtifact(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const options = {
    absWorkingDir: import.meta.dirname,
    outdir: folder,
    bundle: true,
    // What is imported on demand stays apart: a start with access keys does not load the keyless credential.
    splitting: true,
    // Names stay, since they show in errors.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // CommonJS packages inside ask for Node's own modules by require.
    banner: { js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);" },
    logLevel: 'warning',
  } as const satisfies BuildOptions
  await build({
    ...options,
    entryPoints: { server: join(import.meta.dirname, 'src/main.mjs') },
    alias: { [sdks]: './sdks.js' },
    external: ['./sdks.js'],
  })
  // The administration SDK compares names of classes. To keep all of them costs a fifth of the speed: so only here.
  await build({ ...options, entryPoints: { sdks: fileURLToPath(import.meta.resolve(sdks)) }, keepNames: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "engines": { "node": ">=24.12" } }\n')
  const swaggerUi = dirname(require.resolve('swagger-ui-dist/package.json'))
  await mkdir(join(folder, 'reference'))
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
    await cp(join(swaggerUi, name), join(folder, 'reference', name))
  }
}

/** The folder as one file, as App Service takes it: the same bytes for the same content. */
export async function zipArtifact(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files: Record<string, Uint8Array> = {}
  for (const path of paths.toSorted()) files[relative(folder, path).replaceAll(sep, '/')] = await readFile(path)
  // A fixed date, in local time as zip files have it.
  return Buffer.from(zipSync(files, { level: 9, mtime: new Date(1980, 0, 2) }))
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(import.meta.dirname, 'dist')
  await buildArtifact(folder)
  await writeFile(`${folder}.zip`, await zipArtifact(folder))
}
