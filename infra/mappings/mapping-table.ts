import type { PipelinePolicy } from '@azure/core-rest-pipeline'
import { TableClient, type RestError } from '@azure/data-tables'
import type { TokenCredential } from '@azure/identity'
import { formatSignInError, toLine } from '../azure-error.ts'
import type { StackState } from '../stack/stack-state.ts'

export interface MappingTable {
  readonly client: TableClient
  /** Endpoint and name. */
  readonly url: string
  /** Immutable id of the resource that the identities belong to. */
  readonly resourceId: string
}

const requestTimeoutMs = 60_000

/** Ends requests whose response is lost. */
const timeout: PipelinePolicy = {
  name: 'timeout',
  sendRequest: (request, next) => next(Object.assign(request, { timeout: requestTimeoutMs })),
}

/** Returns undefined if the stack has no mapping table. */
export function findMappingTable(
  outputs: StackState['outputs'],
  credential: TokenCredential,
): MappingTable | undefined {
  const { mappingTableEndpoint: endpoint, mappingTable: table, resourceId } = outputs
  if (typeof endpoint !== 'string' || typeof table !== 'string' || typeof resourceId !== 'string') return undefined
  const client = new TableClient(endpoint, table, credential, {
    additionalPolicies: [{ policy: timeout, position: 'perRetry' }],
  })
  return { client, url: endpoint.replace(/\/?$/, `/${table}`), resourceId: resourceId.toLowerCase() }
}

/** Code with which the store rejected an operation, on its own or in a transaction. */
export function getErrorCode(error: unknown): string | undefined {
  const { code, details } = error as RestError
  return (details as { odataError?: { code?: string } } | undefined)?.odataError?.code ?? code
}

/** Formats an error of the table, with its remedy if it is known. */
export function formatStoreError(error: unknown, role: string): string {
  const { message, statusCode } = error as RestError
  const code = getErrorCode(error)
  if (statusCode === 403) {
    const network = code === 'AuthorizationPermissionMismatch' ? '' : ', and access to it from this network'
    return `${code ?? statusCode}: you need the role ${role} on the storage account${network}`
  }
  if (code === 'TableNotFound') return 'TableNotFound: the table does not exist until the service first writes to it'
  const signInError = formatSignInError(error as Error)
  if (signInError !== undefined) return signInError
  // The message may repeat the body of the response, with rows of users.
  if (statusCode !== undefined) return `the table responded with ${[statusCode, code].join(' ').trim()}`
  return code === undefined ? toLine(message) : `${code}: ${toLine(message)}`
}
