import { ManagementLockByScope } from '@pulumi/azure-native/authorization/managementLockByScope.js'
import type { Input, Resource } from '@pulumi/pulumi'

export interface DeletionLocksArgs {
  /** Ids of the resources to lock, by the names of their locks in the program. */
  readonly scopes: Readonly<Record<string, Input<string>>>
  /** Resources in or on the locked ones. The locks also apply to these, so they are removed first. */
  readonly contents: readonly Resource[]
}

/** Creates locks that prevent deletion by anyone, unlike Pulumi's protection. */
export function createDeletionLocks(
  name: string,
  { scopes, contents }: DeletionLocksArgs,
): readonly ManagementLockByScope[] {
  return Object.entries(scopes).map(
    ([lock, scope]) =>
      new ManagementLockByScope(
        `${name}-${lock}`,
        {
          scope,
          // A fixed name: a second lock, created after an interruption, would be unknown to Pulumi and block its destroy.
          lockName: 'acs-kit-protect',
          level: 'CanNotDelete',
          notes: "Users' identities depend on it. To remove the lock, set protect to false and run pulumi up.",
        },
        // Not protected by Pulumi, which would reject removing them when the option protect is removed.
        { dependsOn: [...contents] },
      ),
  )
}
