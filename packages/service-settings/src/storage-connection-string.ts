import { isTrustworthy, trustworthyUrl } from './url.ts'

/**
 * Validates a storage account's connection string, with a key or a shared access signature, by the rules of
 * `@azure/data-tables`, whose own errors repeat the value.
 */
export function storageConnectionString(value: string): string {
  const entries = value
    .split(';')
    .filter((part) => part.trim() !== '')
    .map((part) => toEntry(part.trim()))
  const parts = new Map(entries)
  if (parts.size < entries.length) throw new Error('has a duplicate part')
  const endpoint = parts.get('tableendpoint') ?? defaultEndpoint(parts)
  const hasKey = parts.get('defaultendpointsprotocol') && parts.get('accountname') && parts.get('accountkey')
  if (!endpoint || !(hasKey || parts.get('sharedaccesssignature'))) {
    throw new Error(
      'must be a storage connection string with AccountKey or SharedAccessSignature: copy it again from the portal',
    )
  }
  const endpoints = entries.flatMap(([name, text]) => (name.endsWith('endpoint') ? [text] : []))
  if (![endpoint, ...endpoints].every(isTrustworthy)) throw new Error(`has an endpoint that is not ${trustworthyUrl}`)
  return value
}

function toEntry(part: string): [name: string, value: string] {
  const index = part.indexOf('=')
  return [part.slice(0, Math.max(index, 0)).toLowerCase(), part.slice(index + 1)]
}

function defaultEndpoint(parts: ReadonlyMap<string, string>): string | undefined {
  const suffix = parts.get('endpointsuffix')
  return suffix && `${parts.get('defaultendpointsprotocol')}://${parts.get('accountname')}.table.${suffix}`
}
