import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface OldNode {
  readonly version: string
  readonly command: string
  readonly args: readonly string[]
}

const reportedVersion = '20.20.0'
const preload = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${reportedVersion}'}})`

/** Option of Node, also for `NODE_OPTIONS`, that makes it report an older version. */
export const oldVersionFlag = `--import=${preload}`

/** Returns this Node with an older reported version and, if PATH has one, an older Node. */
export function findOldNodes(): OldNode[] {
  const genuine = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const command = join(folder, 'node')
    if (!existsSync(command)) return []
    const version = execFileSync(command, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
    return Number.parseInt(version, 10) < 22 ? [{ version, command, args: [] }] : []
  })
  return [{ version: reportedVersion, command: process.execPath, args: [oldVersionFlag] }, ...genuine.slice(0, 1)]
}
