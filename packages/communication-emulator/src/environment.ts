import { dirname } from 'node:path'
import { readFileSync } from 'node:fs'
import { managedIdentityOf } from './entra/managed-identity.ts'
import { writeBundle, writeExtraBundle } from './tls/bundle.ts'
import { javaOptions, writeJavaTrustStore } from './tls/java-trust-store.ts'

export interface Environment {
  readonly variables: Readonly<Record<string, string>>
  /** What a person should know of them. */
  readonly notes: readonly string[]
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
  const managedIdentity = managedIdentityOf(endpoint)
  const folder = dirname(dirname(caPath))
  const ca = readFileSync(caPath, 'utf8')
  const extra = inherited['NODE_EXTRA_CA_CERTS']
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
      NODE_EXTRA_CA_CERTS: extra ? writeExtraBundle(folder, ca, extra) : caPath,
      REQUESTS_CA_BUNDLE: writeBundle(folder, ca, inherited['REQUESTS_CA_BUNDLE']),
      SSL_CERT_FILE: writeBundle(folder, ca, inherited['SSL_CERT_FILE']),
      ...(ownJavaOptions && {
        JAVA_TOOL_OPTIONS: [inheritedJavaOptions, ownJavaOptions].filter(Boolean).join(' '),
      }),
    },
    notes,
  }
}

const formats = {
  sh: (name: string, value: string) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
  powershell: (name: string, value: string) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
}

export type ShellFormat = keyof typeof formats
export const shellFormats = Object.keys(formats) as ShellFormat[]

export function formatEnvironment({ variables }: Environment, format: ShellFormat): string {
  return Object.entries(variables)
    .map(([name, value]) => `${formats[format](name, value)}\n`)
    .join('')
}
