import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let used = pool.length

/** Random bytes from a pool: asked for one by one, they were a tenth of the cost of a request. Valid until the next call. */
export function drawRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool.subarray(used, (used += bytes))
}
