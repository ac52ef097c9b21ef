import { dirname } from 'node:path'
import { readFileSync } from 'node:fs'
import { managedIdentityFor } from './entra/managed-identity.ts'
import { proxyExceptions } from './loopback.ts'
import { writeBundle, writeExtraBundle } from './tls/bundle.ts'
import { javaOptions, writeJavaTrustStore } from './tls/java-trust-store.ts'

export interface Environment {
  readonly variables: Readonly<Record<string, string>>
  /** What a person should know of them. */
  readonly notes: readonly string[]
}

/** Variables that name another resource, or an identity that `DefaultAzureCredential` prefers to the managed one. */
const foreignVariables = [
  'COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING',
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_USERNAME',
  'AZURE_PASSWORD',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_TOKEN_CREDENTIALS',
  // A bare host, as other tools take it, makes DefaultAzureCredential fail before it asks for a token.
  'AZURE_AUTHORITY_HOST',
  // Together with IDENTITY_ENDPOINT they mean Service Fabric and Azure Arc.
  'IDENTITY_SERVER_THUMBPRINT',
  'IMDS_ENDPOINT',
]

/** Lets a Node program reach an emulator: trusts its authority next to those that `inherited` names, and uses no proxy. */
export function nodeEnvironment(caPath: string, inherited: NodeJS.ProcessEnv): Record<string, string> {
  const extra = inherited['NODE_EXTRA_CA_CERTS']
  return {
    NODE_EXTRA_CA_CERTS: extra ? writeExtraBundle(folderOf(caPath), readFileSync(caPath, 'utf8'), extra) : caPath,
    ...proxyExceptions(inherited),
  }
}

/**
 * The variables under which unmodified programs in JavaScript, Python, Java and C# use an emulator. What `inherited` says
 * of trusted certificates is kept.
 */
export function createEnvironment(
  emulator: { endpoint: string; connectionString: string; caPath: string },
  inherited: NodeJS.ProcessEnv,
): Environment {
  const { endpoint, connectionString, caPath } = emulator
  const managedIdentity = managedIdentityFor(endpoint)
  const folder = folderOf(caPath)
  const ca = readFileSync(caPath, 'utf8')
  const notes: string[] = []
  const inheritedJavaOptions = inherited['JAVA_TOOL_OPTIONS']
  let ownJavaOptions: string | undefined
  if (inheritedJavaOptions?.includes(`javax.net.ssl.trustStore=${folder}`)) {
    // Ours already: an emulator around this one set it.
  } else if (inheritedJavaOptions?.includes('javax.net.ssl.trustStore=')) {
    notes.push(`JAVA_TOOL_OPTIONS names a trust store already: for Java, import ${caPath} into it.`)
  } else {
    try {
      const trustStore = writeJavaTrustStore(folder, caPath, inherited)
      ownJavaOptions = trustStore && javaOptions(trustStore)
    } catch (error) {
      notes.push(`Java programs will not trust the emulator: ${(error as Error).message}`)
    }
  }
  return {
    variables: {
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      // For those who need no key: DefaultAzureCredential takes App Service's managed identity from the first two, and
      // before 2021 from the other two.
      COMMUNICATION_SERVICES_ENDPOINT: endpoint,
      IDENTITY_ENDPOINT: managedIdentity.endpoint,
      IDENTITY_HEADER: managedIdentity.header,
      MSI_ENDPOINT: managedIdentity.endpoint,
      MSI_SECRET: managedIdentity.header,
      ...nodeEnvironment(caPath, inherited),
      REQUESTS_CA_BUNDLE: writeBundle(folder, ca, inherited['REQUESTS_CA_BUNDLE']),
      SSL_CERT_FILE: writeBundle(folder, ca, inherited['SSL_CERT_FILE']),
      // curl prefers SSL_CERT_DIR to SSL_CERT_FILE, and this one to both.
      CURL_CA_BUNDLE: writeBundle(folder, ca, inherited['CURL_CA_BUNDLE']),
      ...(ownJavaOptions && {
        JAVA_TOOL_OPTIONS: [inheritedJavaOptions, ownJavaOptions].filter(Boolean).join(' '),
      }),
    },
    notes,
  }
}

/** Environment of a program that uses the emulator. */
export function applyEnvironment({ variables }: Environment, inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(inherited).filter(([name]) => !foreignVariables.includes(name))
  return { ...Object.fromEntries(kept), ...variables }
}

function folderOf(caPath: string): string {
  return dirname(dirname(caPath))
}

interface ShellSyntax {
  readonly set: (name: string, value: string) => string
  readonly unset: (names: readonly string[]) => string
}

const formats = {
  sh: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    unset: (names) => `unset ${names.join(' ')}`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (names) => `Remove-Item -ErrorAction Ignore ${names.map((name) => `Env:${name}`).join(', ')}`,
  },
} as const satisfies Record<string, ShellSyntax>

export type ShellFormat = keyof typeof formats
export const shellFormats = Object.keys(formats) as ShellFormat[]

export function formatEnvironment({ variables }: Environment, format: ShellFormat): string {
  const syntax = formats[format]
  const lines = Object.entries(variables).map(([name, value]) => syntax.set(name, value))
  return [syntax.unset(foreignVariables), ...lines, ''].join('\n')
}
