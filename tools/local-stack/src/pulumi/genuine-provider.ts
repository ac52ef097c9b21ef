import {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPort,
  wellKnownTenantId,
  type Emulator,
} from '@acs-kit/communication-emulator'
import type { AzureNativePlugin } from '@acs-kit/infra/azure-native-plugin'
import { trustedIssuer } from '../backend.ts'
import type { ProviderEnvironment } from '../stand-in-provider/cloud.ts'

/** The genuine provider azure-native, as a plugin that the engine starts. */
export interface GenuineProvider {
  /** Folder of installed plugins. */
  readonly plugins: string
  /** Variables with which the plugin uses the emulated Azure. */
  readonly env: Readonly<Record<string, string>>
}

export function toGenuineProvider({ folder }: AzureNativePlugin, emulator: Emulator): GenuineProvider {
  return {
    plugins: folder,
    env: {
      ...toArmVariables(emulator.resourceManager.servicePrincipal),
      // Replaces the system's certificate authorities in Go programs on Linux.
      SSL_CERT_FILE: emulator.caPath,
      // A plugin on PATH would take precedence over the installed one.
      PULUMI_IGNORE_AMBIENT_PLUGINS: 'true',
    },
  }
}

function toArmVariables(environment: ProviderEnvironment) {
  return {
    ARM_METADATA_HOSTNAME: environment.metadataHost,
    // Otherwise the plugin looks the emulator's sign-in up at Microsoft's.
    ARM_DISABLE_INSTANCE_DISCOVERY: 'true',
    ARM_TENANT_ID: environment.tenantId,
    ARM_CLIENT_ID: environment.clientId,
    ARM_CLIENT_SECRET: environment.clientSecret,
    ARM_SUBSCRIPTION_ID: environment.subscriptionId,
  }
}

/** Returns the commands that use the genuine provider where Go programs trust only the system's certificate authorities. */
export function formatManualCommands(): string {
  const origin = `https://localhost:${wellKnownPort}`
  const variables = toArmVariables({
    metadataHost: origin,
    tenantId: wellKnownTenantId,
    clientId: wellKnownConfidentialClientId,
    clientSecret: wellKnownClientSecret,
    subscriptionId: '00000000-0000-4000-8000-000000000000',
  })
  const issuer = Object.entries(trustedIssuer({ issuer: `${origin}/${wellKnownTenantId}/v2.0` }))
  const settings = [
    ['azure-native:location', 'westeurope'],
    // The provider may upload the package to Azure's own host.
    ['deployPackage', 'false'],
    ...issuer.map(([name, value]) => [`issuers[0].${name}`, value]),
  ]
  return [
    'npm run emulator -- start   # in another terminal',
    '# Let your system trust the file that `npm run --silent emulator -- env` names in NODE_EXTRA_CA_CERTS.',
    'cd infra',
    'export PULUMI_BACKEND_URL="file://$(mktemp -d)" PULUMI_CONFIG_PASSPHRASE=local',
    ...Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`),
    'pulumi stack init local',
    ...settings.map(([name, value]) => `pulumi config set --stack local --path '${name}' '${value}'`),
    'pulumi up --stack local',
    'pulumi destroy --stack local',
    'rm Pulumi.local.yaml',
  ].join('\n')
}
