import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const pagesPerCollection = 4

/**
 * Returns a function to call after each page. It frees the memory of earlier pages: by default, V8 keeps hundreds of megabytes,
 * although at most two pages are in use.
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
