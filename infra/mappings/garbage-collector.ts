import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const pagesPerCollection = 4

/**
 * Returns a function that collects the garbage of pages, and is called after each. By default, V8 lets it grow to hundreds of
 * megabytes, although no more than two pages are in use.
 */
export function createGarbageCollector(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let pages = 0
  return () => {
    if (++pages % pagesPerCollection === 0) collect()
  }
}
