import { onTestFinished } from 'vitest'
import { TemporaryFolder } from './temporary-folder.ts'

/** Path of a new folder that is removed when the current test has finished. */
export function temporaryFolder(): string {
  const folder = new TemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  return folder.path
}
