import { randomUUID } from 'node:crypto'
import type { Answer } from '../exchange.ts'
import { ArmError } from './arm-error.ts'

interface Operation {
  readonly resourceId: string
  readonly kind: 'write' | 'delete'
  /** Milliseconds since 1970. */
  readonly readyAt: number
}

/** Short enough for nobody to wait; who asks for the first time finds it under way all the same. */
const durationMs = 50

/** Long-running operations: what their links answer. */
export class Operations {
  readonly #operations = new Map<string, Operation & { readonly startTime: string; wasSeen: boolean }>()

  readyAt(): number {
    return Date.now() + durationMs
  }

  begin(operation: Operation): string {
    const id = randomUUID()
    this.#operations.set(id, { ...operation, startTime: new Date().toISOString(), wasSeen: false })
    return id
  }

  /** `headers` are those of an answer that is not the last. */
  answer(id: string, headers: Readonly<Record<string, string>>): Answer {
    const operation = this.#operations.get(id)
    if (!operation) throw new ArmError(404, 'OperationNotFound', `There is no operation ${id}.`)
    const { resourceId, kind, readyAt, startTime } = operation
    const isDone = operation.wasSeen && readyAt <= Date.now()
    operation.wasSeen = true
    const [status, during] = kind === 'write' ? ['Succeeded', 'Accepted'] : ['Deleted', 'Deleting']
    const body = { id, name: id, resourceId, status: isDone ? status : during, startTime }
    if (isDone) return { status: 200, body }
    return { status: kind === 'write' ? 200 : 202, headers, body }
  }
}
