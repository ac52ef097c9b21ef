import { StorageAccount } from '@pulumi/azure-native/storage/storageAccount.js'
import type { CustomResourceOptions, Input } from '@pulumi/pulumi'
import type { Redundancy } from './config.ts'

export interface PrivateStorageAccountArgs {
  readonly resourceGroupName: Input<string>
  readonly tags: Readonly<Record<string, string>>
  readonly redundancy: Redundancy
  /** Default: true. */
  readonly allowSharedKeyAccess?: boolean
}

/** Creates a storage account without anonymous access that accepts only TLS 1.2 and later. */
export function createPrivateStorageAccount(
  name: string,
  { redundancy, ...args }: PrivateStorageAccountArgs,
  options: CustomResourceOptions,
): StorageAccount {
  return new StorageAccount(
    name,
    {
      ...args,
      kind: 'StorageV2',
      sku: { name: `Standard_${redundancy}` },
      allowBlobPublicAccess: false,
      // Rejects policies that copy blobs to an account of another tenant.
      allowCrossTenantReplication: false,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: 'TLS1_2',
    },
    options,
  )
}
