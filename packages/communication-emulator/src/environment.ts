import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { managedIdentityFor } from './entra/managed-identity.ts'
import { createProxyExceptions } from './loopback.ts'
import { writeBundle, writeExtraBundle } from './tls/bundle.ts'
import { formatJavaOptions, writeJavaTrustStore } from './tls/java-trust-store.ts'

/** Environment variables of programs that use an emulator. */
export interface Environment {
  readonly variables: Readonly<Record<string, string>>
  /** A limitation to report to the user. */
  readonly warning: string | undefined
}

/** Variables that name another resource, or an identity that `DefaultAzureCredential` prefers to the managed identity. */
export const foreignVariables = [
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
  // Other tools accept a bare host here, but DefaultAzureCredential fails with it before it requests a token.
  'AZURE_AUTHORITY_HOST',
  // Combined with IDENTITY_ENDPOINT, they select Service Fabric and Azure Arc.
  'IDENTITY_SERVER_THUMBPRINT',
  'IMDS_ENDPOINT',
]

/** Creates variables with which a Node program trusts an emulator, as well as the certificates in `inherited`, and uses no proxy. */
export function createNodeEnvironment(
  caPath: string,
  inherited: NodeJS.ProcessEnv,
  hostnames: readonly string[] = [],
): Record<string, string> {
  const extra = inherited['NODE_EXTRA_CA_CERTS']
  return {
    NODE_EXTRA_CA_CERTS: extra ? writeExtraBundle(getKeyFolder(caPath), readFileSync(caPath, 'utf8'), extra) : caPath,
    ...createProxyExceptions(inherited, hostnames),
  }
}

/**
 * Creates the variables with which unmodified programs in JavaScript, Python, Java, Go and C# use an emulator. The certificates
 * that `inherited` trusts stay trusted.
 */
export function createEnvironment(
  emulator: { endpoint: string; connectionString: string; caPath: string },
  inherited: NodeJS.ProcessEnv,
  hostnames: readonly string[] = [],
): Environment {
  const { endpoint, connectionString, caPath } = emulator
  const managedIdentity = managedIdentityFor(endpoint)
  const folder = getKeyFolder(caPath)
  const ca = readFileSync(caPath, 'utf8')
  const java = createJavaOptions(caPath, inherited)
  return {
    variables: {
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      // Programs without a key: DefaultAzureCredential reads App Service's managed identity from the first two variables, its
      // versions before 2021 from the other two.
      COMMUNICATION_SERVICES_ENDPOINT: endpoint,
      IDENTITY_ENDPOINT: managedIdentity.endpoint,
      IDENTITY_HEADER: managedIdentity.header,
      MSI_ENDPOINT: managedIdentity.endpoint,
      MSI_SECRET: managedIdentity.header,
      ...createNodeEnvironment(caPath, inherited, hostnames),
      REQUESTS_CA_BUNDLE: writeBundle(folder, ca, inherited['REQUESTS_CA_BUNDLE']),
      SSL_CERT_FILE: writeBundle(folder, ca, inherited['SSL_CERT_FILE']),
      // curl prefers SSL_CERT_DIR to SSL_CERT_FILE, and this one to both.
      CURL_CA_BUNDLE: writeBundle(folder, ca, inherited['CURL_CA_BUNDLE']),
      ...(java.options && { JAVA_TOOL_OPTIONS: java.options }),
    },
    warning: java.warning,
  }
}

/** Returns the environment of a program that uses the emulator. */
export function applyEnvironment({ variables }: Environment, inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(inherited).filter(([name]) => !foreignVariables.includes(name))
  return { ...Object.fromEntries(kept), ...variables }
}

/** Returns `JAVA_TOOL_OPTIONS` with a trust store, unless there is no Java or the variable already names a trust store. */
function createJavaOptions(caPath: string, inherited: NodeJS.ProcessEnv): { options?: string; warning?: string } {
  const folder = getKeyFolder(caPath)
  const existing = inherited['JAVA_TOOL_OPTIONS']
  // Set by an outer `exec`.
  if (existing?.includes(`javax.net.ssl.trustStore=${folder}`)) return {}
  if (existing?.includes('javax.net.ssl.trustStore=')) {
    return { warning: `JAVA_TOOL_OPTIONS already names a trust store: for Java programs, import ${caPath} into it` }
  }
  try {
    const trustStore = writeJavaTrustStore(folder, caPath, inherited)
    if (trustStore === undefined) return {}
    return { options: [existing, formatJavaOptions(trustStore)].filter(Boolean).join(' ') }
  } catch (error) {
    return {
      warning: `Java programs will not trust the emulator, import ${caPath} into their trust store: ${(error as Error).message}`,
    }
  }
}

function getKeyFolder(caPath: string): string {
  return dirname(dirname(caPath))
}
