import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface OldNode {
  readonly version: string
  readonly command: string
  readonly args: readonly string[]
}

const pretended = '20.20.0'
const preload = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${pretended}'}})`

/** Makes Node report an older version, as an argument or in `NODE_OPTIONS`. */
export const oldVersionFlag = `--import=${preload}`

/** This Node, reporting an older version, and the genuinely older ones on PATH. */
export function findOldNodes(): OldNode[] {
  const genuine = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const command = join(folder, 'node')
    if (!existsSync(command)) return []
    const version = execFileSync(command, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
    return Number.parseInt(version, 10) < 24 ? [{ version, command, args: [] }] : []
  })
  return [{ version: pretended, command: process.execPath, args: [oldVersionFlag] }, ...genuine.slice(0, 1)]
}
