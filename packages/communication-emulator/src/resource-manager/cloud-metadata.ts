export const metadataPath = /^\/+metadata\/endpoints$/i

/** The document by which clients find a cloud's parts, as far as one reads it. */
export function describeCloud(origin: string): object {
  return {
    name: 'acs-kit emulator',
    authentication: { loginEndpoint: origin, audiences: [origin], tenant: 'common', identityProvider: 'AAD' },
    resourceManager: origin,
    microsoftGraphResourceId: `${origin}/graph`,
    suffixes: { storage: 'storage.localhost', keyVaultDns: 'vault.localhost' },
  }
}
