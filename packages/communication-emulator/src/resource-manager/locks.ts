import { ArmError } from './arm-error.ts'
import { lockType } from './authorization-types.ts'
import { isAtOrBelow, isSame, type ResourceId } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'

/**
 * Throws an `ArmError` if a lock prevents an operation. A lock applies to its scope and everything below it, such as role
 * assignments. It also prevents deleting what contains its scope, such as the group.
 */
export function checkLocks(tree: ResourceTree, { id, type }: ResourceId, operation: 'write' | 'delete'): void {
  if (isSame(type, lockType)) return
  const levels = operation === 'delete' ? ['CanNotDelete', 'ReadOnly'] : ['ReadOnly']
  const locked = tree
    .list()
    .filter((lock) => isSame(lock.id.type, lockType) && levels.includes(String(lock.envelope.properties?.['level'])))
    .map((lock) => lock.id.scope.id)
    .filter((scope) => isAtOrBelow(id, scope) || (operation === 'delete' && isAtOrBelow(scope, id)))
  if (locked.length === 0) return
  // guess(locked-scopes)
  const scopes = [...new Set(locked)].join(',')
  throw new ArmError(
    409,
    'ScopeLocked',
    `The scope '${id}' cannot perform ${operation} operation because following scope(s) are locked: '${scopes}'. Please remove the lock and try again.`,
  )
}
