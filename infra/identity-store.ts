import { Table } from '@pulumi/azure-native/storage/table.js'
import type { StorageAccount } from '@pulumi/azure-native/storage/storageAccount.js'
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'
import type { Redundancy } from './config.ts'
import { createPrivateStorageAccount } from './private-storage-account.ts'

export interface IdentityStoreArgs {
  readonly resourceGroupName: Input<string>
  readonly redundancy: Redundancy
  readonly protect: boolean
  readonly tags: Readonly<Record<string, string>>
}

/** The table that maps users to identities, in a storage account whose keys are disabled. */
export class IdentityStore extends ComponentResource {
  readonly account: StorageAccount
  readonly table: Table
  readonly endpoint: Output<string>

  constructor(
    name: string,
    { resourceGroupName, redundancy, protect, tags }: IdentityStoreArgs,
    options?: ComponentResourceOptions,
  ) {
    super('acs-kit:storage:IdentityStore', name, {}, options)
    const args = { resourceGroupName, tags, redundancy, allowSharedKeyAccess: false }
    this.account = createPrivateStorageAccount(name, args, { parent: this, protect })
    this.table = new Table(
      'identities',
      { resourceGroupName, accountName: this.account.name },
      { parent: this, protect, deleteBeforeReplace: true },
    )
    this.endpoint = this.account.primaryEndpoints.table
    this.registerOutputs({ account: this.account, table: this.table, endpoint: this.endpoint })
  }
}
