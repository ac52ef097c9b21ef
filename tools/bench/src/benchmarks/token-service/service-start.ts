import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Backend } from '@acs-kit/local-stack/backend'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compareRounds, measureRounds, timeMs } from '../../interleaved.ts'
import type { Measurement } from '../../measurement.ts'
import { unlimited } from './token-requests.ts'

const goal = { of: 'value', is: 'below', limit: 200 } as const

/**
 * Start of the service until it listens, with the compiled code of an earlier start and, as in a new container, without it. Then
 * until it is ready. The reference is a Node that does nothing.
 */
export async function benchmarkServiceStart(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  using compiled = new TemporaryFolder()
  const start = async (folder: TemporaryFolder, waitFor: (url: string) => Promise<void> = async () => {}) => {
    const startedAt = performance.now()
    const service = await backend.startService({ TMPDIR: folder.path })
    await waitFor(service.url)
    const durationMs = performance.now() - startedAt
    await service.kill()
    return durationMs
  }
  const startUncompiled = async () => {
    using empty = new TemporaryFolder()
    return await start(empty)
  }
  const startUntilReady = () =>
    start(compiled, async (url) => {
      while (!(await fetch(`${url}/readyz`)).ok) await sleep(2)
    })
  await startUntilReady()
  const [first, repeated, ready, bare] = await measureRounds(11, [
    startUncompiled,
    () => start(compiled),
    startUntilReady,
    () => timeMs(() => promisify(execFile)(process.execPath, ['-e', ''])),
  ])
  const reference = { name: 'node -e ""', values: bare! }
  const row = { unit: 'ms', reference }
  return [
    compareRounds({ ...row, name: 'first start of the token service, until it listens', values: first!, goal }),
    compareRounds({ ...row, name: 'a later start, with code compiled before', values: repeated!, goal }),
    compareRounds({ ...row, name: 'the same, until /readyz', values: ready! }),
  ]
}
