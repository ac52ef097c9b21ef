import type { AutoscaleSetting } from '@pulumi/azure-native/monitor/autoscaleSetting.js'
import { AppServicePlan } from '@pulumi/azure-native/web/appServicePlan.js'
import { WebApp } from '@pulumi/azure-native/web/webApp.js'
import { WebAppDiagnosticLogsConfiguration } from '@pulumi/azure-native/web/webAppDiagnosticLogsConfiguration.js'
import { WebAppFtpAllowed } from '@pulumi/azure-native/web/webAppFtpAllowed.js'
import { WebAppScmAllowed } from '@pulumi/azure-native/web/webAppScmAllowed.js'
import { ComponentResource, interpolate, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'
import { toAppSettings, type ServiceSettings } from './app-settings.ts'
import { isRange, type PlanOptions } from './config/plan.ts'
import { createPlanAutoscale } from './plan-autoscale.ts'
import type { SiteIdentity } from './site-identity.ts'

export interface TokenServiceSiteArgs extends PlanOptions {
  readonly resourceGroupName: Input<string>
  readonly identity: SiteIdentity
  readonly settings: ServiceSettings
  /** Whether an option of the stack is secret, so that the state must encrypt all settings. */
  readonly hasSecretOption: boolean
  readonly logRetentionDays: number
  /** URL of the service's package; undefined leaves the site empty. */
  readonly packageUrl: Input<string> | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** Maximum of App Service. */
const maxLogMegabytes = 100

/** The token service on App Service. */
export class TokenServiceSite extends ComponentResource {
  readonly plan: AppServicePlan
  /** Undefined for a fixed number of instances. */
  readonly autoscale: AutoscaleSetting | undefined
  readonly webApp: WebApp
  readonly scmAllowed: WebAppScmAllowed
  readonly ftpAllowed: WebAppFtpAllowed
  readonly logs: WebAppDiagnosticLogsConfiguration
  readonly url: Output<string>

  constructor(name: string, args: TokenServiceSiteArgs, options?: ComponentResourceOptions) {
    super('acs-kit:web:TokenServiceSite', name, {}, options)
    const { resourceGroupName, sku, instances, zoneRedundant, settings, packageUrl, tags } = args
    const { userAssignedIdentity, assignments } = args.identity
    const range = isRange(instances) ? instances : undefined
    const capacity = isRange(instances) ? instances.min : instances
    this.plan = new AppServicePlan(
      name,
      { resourceGroupName, kind: 'linux', reserved: true, sku: { name: sku, capacity }, zoneRedundant, tags },
      // Autoscale owns the number of instances once the plan exists.
      { parent: this, ignoreChanges: range ? ['sku.capacity'] : [] },
    )
    this.autoscale =
      range && createPlanAutoscale(name, { resourceGroupName, plan: this.plan, range, tags }, { parent: this })
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
          appSettings: toAppSettings(
            {
              ...settings,
              WEBSITE_RUN_FROM_PACKAGE: packageUrl,
              WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: packageUrl && userAssignedIdentity.id,
            },
            args.hasSecretOption,
          ),
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
    // On Linux, these "HTTP logs" are the output of the container.
    const fileSystem = { enabled: true, retentionInDays: args.logRetentionDays, retentionInMb: maxLogMegabytes }
    this.logs = new WebAppDiagnosticLogsConfiguration(name, { ...site, httpLogs: { fileSystem } }, part)
    this.url = interpolate`https://${this.webApp.defaultHostName}`
    this.registerOutputs({
      plan: this.plan,
      autoscale: this.autoscale,
      webApp: this.webApp,
      scmAllowed: this.scmAllowed,
      ftpAllowed: this.ftpAllowed,
      logs: this.logs,
      url: this.url,
    })
  }
}
