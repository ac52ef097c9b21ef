import { readFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { Blob, BlobContainer } from '@pulumi/azure-native/storage/index.js'
import {
  asset,
  ComponentResource,
  interpolate,
  type ComponentResourceOptions,
  type Input,
  type Output,
} from '@pulumi/pulumi'
import { createPrivateStorageAccount } from './private-storage-account.ts'

export interface PackageStoreArgs {
  readonly resourceGroupName: Input<string>
  readonly tags: Readonly<Record<string, string>>
  /** The service's artifact, zipped. */
  readonly packagePath: string
}

/** What the site runs. Its keys stay on, unlike the other store's, because azure-native uploads blobs with them. */
export class PackageStore extends ComponentResource {
  readonly accountId: Output<string>
  readonly packageUrl: Output<string>

  constructor(
    name: string,
    { resourceGroupName, tags, packagePath }: PackageStoreArgs,
    options?: ComponentResourceOptions,
  ) {
    super('acs-kit:storage:PackageStore', name, {}, options)
    const account = createPrivateStorageAccount(name, { resourceGroupName, tags }, { parent: this })
    const container = new BlobContainer(
      'packages',
      { resourceGroupName, accountName: account.name, publicAccess: 'None' },
      { parent: this },
    )
    // The name is the content's: a site does not notice when a package is overwritten.
    const blobName = `token-service-${hash('sha256', readFileSync(packagePath)).slice(0, 16)}.zip`
    const blob = new Blob(
      'package',
      {
        resourceGroupName,
        accountName: account.name,
        containerName: container.name,
        blobName,
        source: new asset.FileAsset(packagePath),
        contentType: 'application/zip',
      },
      { parent: this },
    )
    this.accountId = account.id
    this.packageUrl = interpolate`${account.primaryEndpoints.blob}${container.name}/${blob.name}`
    this.registerOutputs({ packageUrl: this.packageUrl })
  }
}
