import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import spawn from 'cross-spawn'

export interface Pulumi {
  /** What a command prints. Rejects with its complaint. */
  read(...args: string[]): Promise<string>
  /** Lets the person see a command, and answer it; returns whether it did its work. */
  show(...args: string[]): Promise<boolean>
}

/** The Pulumi CLI on PATH, for the project in a folder. */
export function pulumiIn(folder: string, env = process.env): Pulumi {
  return {
    async read(...args) {
      const child = spawn('pulumi', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      const said = { stdout: '', stderr: '' }
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
      if (await isDone(child)) return said.stdout
      throw new Error(`pulumi ${args.join(' ')} failed: ${said.stderr.trim()}`)
    },
    async show(...args) {
      // Whoever interrupts it hears from it how far it came.
      process.on('SIGINT', stay)
      const done = await isDone(spawn('pulumi', args, { cwd: folder, env, stdio: 'inherit' }))
      process.off('SIGINT', stay)
      return done
    },
  }
}

function stay(): void {}

async function isDone(child: ChildProcess): Promise<boolean> {
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('there is no Pulumi CLI on PATH: https://www.pulumi.com/docs/install', { cause: error })
  }
}
