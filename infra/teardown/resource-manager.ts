import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import { findResourceManager } from '../cloud-metadata.ts'
import type { StackResource } from './stack-state.ts'

/** As the configuration of azure-native names it. */
export interface Cloud {
  readonly metadataHost?: string | undefined
  readonly environment?: string | undefined
}

export type Presence = 'there' | 'gone' | 'unknown'

const resourceManagers: Readonly<Record<string, string>> = {
  public: 'https://management.azure.com',
  usgovernment: 'https://management.usgovcloudapi.net',
  china: 'https://management.chinacloudapi.cn',
}
/** Codes of a 404 by which nothing is said of the resource itself. */
const misaddressed = /^(?:SubscriptionNotFound|InvalidSubscriptionId|InvalidResourceType|InvalidResourceNamespace)$/
const client = createDefaultHttpClient()

/** Azure Resource Manager, asked as a person. */
export class ResourceManager {
  readonly #origin: string
  readonly #pipeline = createPipelineFromOptions({})

  private constructor(origin: string, credential: TokenCredential) {
    this.#origin = origin
    this.#pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: `${origin}/.default` }))
  }

  static async find(cloud: Cloud, credential: TokenCredential): Promise<ResourceManager> {
    return new ResourceManager(await findOrigin(cloud), credential)
  }

  /** Rejects when it is not asked as it should be: by nobody, or for a subscription that it does not know. */
  async survey(resources: readonly StackResource[]): Promise<ReadonlyMap<StackResource, Presence>> {
    const answers = await Promise.all(
      resources.map(async (resource) => [resource, await this.#presenceOf(resource)] as const),
    )
    return conclude(new Map(answers))
  }

  async #presenceOf({ id, apiVersion }: StackResource): Promise<Presence> {
    if (apiVersion === undefined) return 'unknown'
    const url = `${this.#origin}${id}?api-version=${apiVersion}`
    const response = await this.#pipeline.sendRequest(client, createPipelineRequest({ url })).catch(rethrow)
    const { status } = response
    const code = errorCodeOf(response)
    if (status === 200) return 'there'
    if (status === 404 && !misaddressed.test(code)) return 'gone'
    // Also the answer to those whose right went with what it was on.
    if (status === 403) return 'unknown'
    throw new Error(
      `${this.#origin} answers ${status} ${code} for ${id}: \`az account show\` tells who asks, and where`,
    )
  }
}

/** What can't be told of is there as long as that which it is in or on. */
export function conclude(answers: ReadonlyMap<StackResource, Presence>): ReadonlyMap<StackResource, Presence> {
  const outermostFirst = [...answers.keys()].toSorted((one, other) => one.id.length - other.id.length)
  const concluded = new Map(answers)
  for (const resource of outermostFirst) {
    const around = outermostFirst.findLast(({ id }) => isIn(resource.id, id))
    if (concluded.get(resource) === 'unknown' && around) concluded.set(resource, concluded.get(around)!)
  }
  return concluded
}

function isIn(id: string, around: string): boolean {
  return id.toLowerCase().startsWith(`${around.toLowerCase()}/`)
}

async function findOrigin({ metadataHost, environment = 'public' }: Cloud): Promise<string> {
  if (metadataHost !== undefined) return findResourceManager(metadataHost)
  const origin = resourceManagers[environment.toLowerCase()]
  if (origin !== undefined) return origin
  const known = Object.keys(resourceManagers).join(', ')
  throw new Error(`azure-native:environment is ${JSON.stringify(environment)}; it must be one of: ${known}`)
}

function errorCodeOf({ bodyAsText }: PipelineResponse): string {
  try {
    return (JSON.parse(bodyAsText ?? '') as { error?: { code?: string } }).error?.code ?? ''
  } catch {
    return ''
  }
}

function rethrow(error: Error): never {
  const isSignIn = /Authentication|Credential/.test(error.name)
  throw isSignIn ? new Error(`Azure lets nobody in: sign in with \`az login\`\n${error.message}`) : error
}
