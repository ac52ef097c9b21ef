import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { zipSync } from 'fflate'

const require = createRequire(import.meta.url)
const sdks = '@acs-kit/communication-identity'

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
  const options = {
    absWorkingDir: import.meta.dirname,
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
    logLevel: 'warning',
  } as const satisfies BuildOptions
  await build({
    ...options,
    entryPoints: { server: join(import.meta.dirname, 'src/main.mjs') },
    alias: { [sdks]: './sdks.js' },
    external: ['./sdks.js'],
  })
  // The administration SDK compares class names. Keeping all names would cost a fifth of the speed, so only the SDKs keep them.
  await build({ ...options, entryPoints: { sdks: fileURLToPath(import.meta.resolve(sdks)) }, keepNames: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "engines": { "node": ">=24.12" } }\n')
  const swaggerUi = dirname(require.resolve('swagger-ui-dist/package.json'))
  await mkdir(join(folder, 'reference'))
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
    await cp(join(swaggerUi, name), join(folder, 'reference', name))
  }
  await writeFile(`${folder}.zip`, await zip(folder))
}

async function zip(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files: Record<string, Uint8Array> = {}
  for (const path of paths.toSorted()) files[relative(folder, path).replaceAll(sep, '/')] = await readFile(path)
  // A fixed date makes builds reproducible. Zip files store local time.
  return zipSync(files, { level: 9, mtime: new Date(1980, 0, 2) })
}

if (import.meta.main) await buildArtifact(process.argv[2] ?? join(import.meta.dirname, 'dist'))
