import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface WorkflowStep {
  readonly name?: string
  /** An action. */
  readonly uses?: string
  /** A script. */
  readonly run?: string
}

export interface WorkflowJob {
  readonly if?: string
  readonly permissions?: Readonly<Record<string, string>>
  /** Another workflow, instead of steps. */
  readonly uses?: string
  readonly steps?: readonly WorkflowStep[]
  readonly 'timeout-minutes'?: number
}

export interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly on: Readonly<Record<string, unknown>>
  readonly jobs: Readonly<Record<string, WorkflowJob>>
}

const root = join(import.meta.dirname, '../../..')

/** Paths of the repository's GitHub workflows. */
export const workflowPaths = globSync('.github/workflows/*.yml', { cwd: root })

export function readWorkflow(path: string): Workflow {
  return parse(readFileSync(join(root, path), 'utf8')) as Workflow
}
