import { AppServicePlan, WebApp, WebAppFtpAllowed, WebAppScmAllowed } from '@pulumi/azure-native/web/index.js'
import { ComponentResource, interpolate, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'
import { toAppSettings, type ServiceSettings } from './app-settings.ts'
import type { SiteIdentity } from './site-identity.ts'

export interface TokenServiceSiteArgs {
  readonly resourceGroupName: Input<string>
  readonly sku: string
  readonly identity: SiteIdentity
  readonly settings: ServiceSettings
  /** URL of the service's package; undefined leaves the site empty. */
  readonly packageUrl: Input<string> | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** The token service on App Service. */
export class TokenServiceSite extends ComponentResource {
  readonly plan: AppServicePlan
  readonly webApp: WebApp
  readonly scmAllowed: WebAppScmAllowed
  readonly ftpAllowed: WebAppFtpAllowed
  readonly url: Output<string>

  constructor(name: string, args: TokenServiceSiteArgs, options?: ComponentResourceOptions) {
    super('acs-kit:web:TokenServiceSite', name, {}, options)
    const { resourceGroupName, sku, settings, packageUrl, tags } = args
    const { userAssignedIdentity, assignments } = args.identity
    this.plan = new AppServicePlan(
      name,
      { resourceGroupName, kind: 'linux', reserved: true, sku: { name: sku }, tags },
      { parent: this },
    )
    this.webApp = new WebApp(
      name,
      {
        resourceGroupName,
        serverFarmId: this.plan.id,
        kind: 'app,linux',
        httpsOnly: true,
        clientAffinityEnabled: false,
        identity: { type: 'UserAssigned', userAssignedIdentities: [userAssignedIdentity.id] },
        siteConfig: {
          linuxFxVersion: 'NODE|24-lts',
          appCommandLine: 'node server.js',
          alwaysOn: true,
          http20Enabled: true,
          ftpsState: 'Disabled',
          minTlsVersion: '1.2',
          scmMinTlsVersion: '1.2',
          remoteDebuggingEnabled: false,
          healthCheckPath: '/healthz',
          appSettings: toAppSettings({
            ...settings,
            WEBSITE_RUN_FROM_PACKAGE: packageUrl,
            WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: packageUrl && userAssignedIdentity.id,
          }),
        },
        tags,
      },
      // A site that starts before its identity has its roles fails to mount its package.
      { parent: this, dependsOn: [...assignments] },
    )
    const site = { resourceGroupName, name: this.webApp.name }
    // Parts of the site: deleting one would reset it, and so allow passwords again before the site itself is deleted.
    const part = { parent: this, deletedWith: this.webApp }
    this.scmAllowed = new WebAppScmAllowed(name, { ...site, allow: false }, part)
    this.ftpAllowed = new WebAppFtpAllowed(name, { ...site, allow: false }, part)
    this.url = interpolate`https://${this.webApp.defaultHostName}`
    this.registerOutputs({
      plan: this.plan,
      webApp: this.webApp,
      scmAllowed: this.scmAllowed,
      ftpAllowed: this.ftpAllowed,
      url: this.url,
    })
  }
}
