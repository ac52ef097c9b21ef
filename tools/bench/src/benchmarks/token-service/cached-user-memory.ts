import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createFigure, type Figure } from '../../figure.ts'

/** What an instance keeps in memory for each user, once two sizes are taken apart. */
export async function benchmarkCachedUserMemory(): Promise<Figure[]> {
  const script = fileURLToPath(import.meta.resolve('../../../../../apps/token-service/bench/cached-users.ts'))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script])
  const { bytesPerUser, tokenBytes } = JSON.parse(stdout) as { bytesPerUser: number; tokenBytes: number }
  return [
    createFigure(
      {
        name: 'memory for a cached user',
        value: bytesPerUser,
        unit: 'bytes',
        reference: { name: 'the text of their token', value: tokenBytes },
      },
      { of: 'value', is: 'below', limit: 2048 },
    ),
  ]
}
