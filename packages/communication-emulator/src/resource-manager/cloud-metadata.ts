export const metadataPath = /^\/+metadata\/endpoints$/i

/** Describes the endpoints of the cloud, as far as clients read them. */
export function describeCloud(origin: string): object {
  return {
    name: 'acs-kit emulator',
    authentication: { loginEndpoint: origin, audiences: [origin], tenant: 'common', identityProvider: 'AAD' },
    resourceManager: origin,
    microsoftGraphResourceId: `${origin}/graph`,
    suffixes: { storage: 'storage.localhost', keyVaultDns: 'vault.localhost' },
  }
}
