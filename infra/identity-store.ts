import { Table } from '@pulumi/azure-native/storage/index.js'
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'
import { createPrivateStorageAccount } from './private-storage-account.ts'

export interface IdentityStoreArgs {
  readonly resourceGroupName: Input<string>
  readonly protect: boolean
  readonly tags: Readonly<Record<string, string>>
}

/** The table of identity mappings, in a storage account that no key opens. */
export class IdentityStore extends ComponentResource {
  readonly accountId: Output<string>
  readonly endpoint: Output<string>
  readonly table: Output<string>

  constructor(
    name: string,
    { resourceGroupName, protect, tags }: IdentityStoreArgs,
    options?: ComponentResourceOptions,
  ) {
    super('acs-kit:storage:IdentityStore', name, {}, options)
    const args = { resourceGroupName, tags, allowSharedKeyAccess: false }
    const account = createPrivateStorageAccount(name, args, { parent: this, protect })
    const table = new Table(
      'identities',
      { resourceGroupName, accountName: account.name },
      { parent: this, protect, deleteBeforeReplace: true },
    )
    this.accountId = account.id
    this.endpoint = account.primaryEndpoints.table
    this.table = table.name
    this.registerOutputs({ endpoint: this.endpoint, table: this.table })
  }
}
