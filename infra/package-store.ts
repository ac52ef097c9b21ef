import { readFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { Blob } from '@pulumi/azure-native/storage/blob.js'
import { BlobContainer } from '@pulumi/azure-native/storage/blobContainer.js'
import type { StorageAccount } from '@pulumi/azure-native/storage/storageAccount.js'
import {
  asset,
  ComponentResource,
  interpolate,
  type ComponentResourceOptions,
  type Input,
  type Output,
} from '@pulumi/pulumi'
import type { Redundancy } from './config.ts'
import { createPrivateStorageAccount } from './private-storage-account.ts'

export interface PackageStoreArgs {
  readonly resourceGroupName: Input<string>
  readonly tags: Readonly<Record<string, string>>
  readonly redundancy: Redundancy
  /** Path of the service's zipped artifact. */
  readonly packagePath: string
}

/** The package that the site runs. The account's keys stay enabled, because azure-native uploads blobs with them. */
export class PackageStore extends ComponentResource {
  readonly account: StorageAccount
  readonly container: BlobContainer
  readonly blob: Blob
  readonly packageUrl: Output<string>

  constructor(
    name: string,
    { resourceGroupName, tags, redundancy, packagePath }: PackageStoreArgs,
    options?: ComponentResourceOptions,
  ) {
    super('acs-kit:storage:PackageStore', name, {}, options)
    this.account = createPrivateStorageAccount(name, { resourceGroupName, tags, redundancy }, { parent: this })
    this.container = new BlobContainer(
      'packages',
      { resourceGroupName, accountName: this.account.name, publicAccess: 'None' },
      { parent: this },
    )
    // Named by its content, because a site does not notice when a package is overwritten. So is the resource, because a new
    // one is created before the former one is deleted, which the site runs until then.
    const blobName = `token-service-${hash('sha256', readFileSync(packagePath)).slice(0, 16)}.zip`
    this.blob = new Blob(
      blobName,
      {
        resourceGroupName,
        accountName: this.account.name,
        containerName: this.container.name,
        blobName,
        source: new asset.FileAsset(packagePath),
        contentType: 'application/zip',
      },
      { parent: this },
    )
    this.packageUrl = interpolate`${this.account.primaryEndpoints.blob}${this.container.name}/${this.blob.name}`
    this.registerOutputs({
      account: this.account,
      container: this.container,
      blob: this.blob,
      packageUrl: this.packageUrl,
    })
  }
}
