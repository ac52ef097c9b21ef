import { AppServicePlan, WebApp } from '@pulumi/azure-native/web/index.js'
import { ComponentResource, interpolate, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'
import { toAppSettings, type ServiceSettings } from './app-settings.ts'
import type { SiteIdentity } from './site-identity.ts'

export interface TokenServiceSiteArgs {
  readonly resourceGroupName: Input<string>
  readonly sku: string
  readonly identity: SiteIdentity
  readonly settings: ServiceSettings
  /** Of the package that it runs; without one, nothing does. */
  readonly packageUrl: Input<string> | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** The token service on App Service, run from its package. */
export class TokenServiceSite extends ComponentResource {
  readonly url: Output<string>
  readonly name: Output<string>

  constructor(name: string, args: TokenServiceSiteArgs, options?: ComponentResourceOptions) {
    super('acs-kit:web:TokenServiceSite', name, {}, options)
    const { resourceGroupName, sku, identity, settings, packageUrl, tags } = args
    const plan = new AppServicePlan(
      name,
      { resourceGroupName, kind: 'linux', reserved: true, sku: { name: sku }, tags },
      { parent: this },
    )
    const site = new WebApp(
      name,
      {
        resourceGroupName,
        serverFarmId: plan.id,
        kind: 'app,linux',
        httpsOnly: true,
        clientAffinityEnabled: false,
        identity: { type: 'UserAssigned', userAssignedIdentities: [identity.id] },
        siteConfig: {
          linuxFxVersion: 'NODE|24-lts',
          appCommandLine: 'node server.js',
          alwaysOn: true,
          ftpsState: 'Disabled',
          minTlsVersion: '1.2',
          healthCheckPath: '/healthz',
          appSettings: toAppSettings({
            ...settings,
            WEBSITE_RUN_FROM_PACKAGE: packageUrl,
            WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: packageUrl && identity.id,
          }),
        },
        tags,
      },
      // A site that starts before its identity may do anything fails to mount its package.
      { parent: this, dependsOn: [...identity.assignments] },
    )
    this.url = interpolate`https://${site.defaultHostName}`
    this.name = site.name
    this.registerOutputs({ url: this.url })
  }
}
