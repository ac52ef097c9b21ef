import type { Deployment } from '@pulumi/pulumi/automation/index.js'

/** An Azure resource that the stack created. */
export interface StackResource {
  readonly id: string
  /** Type in the program, such as `CommunicationService`. */
  readonly type: string
  readonly name: string
  /** Undefined for resources that the resource manager does not expose, such as blobs. */
  readonly apiVersion: string | undefined
}

export interface StackState {
  readonly resources: readonly StackResource[]
  readonly isProtected: boolean
  readonly outputs: Values
  /** Configuration of the azure-native provider. */
  readonly provider: Values
}

type Values = Readonly<Record<string, unknown>>

interface ExportedResource {
  readonly type: string
  readonly id?: string
  readonly protect?: boolean
  /** Read by the stack, but not created by it. */
  readonly external?: boolean
  readonly inputs?: Values
  readonly outputs?: Values
}

export function toStackState({ deployment }: Pick<Deployment, 'deployment'>): StackState {
  const { resources: exported = [] } = (deployment ?? {}) as { resources?: readonly ExportedResource[] }
  const findType = (type: string) => exported.find((resource) => resource.type === type)
  const own = exported.filter(({ id, external }) => id?.startsWith('/subscriptions/') && !external).map(toResource)
  return {
    // A resource that is being replaced occurs twice.
    resources: [...new Map(own.map((resource) => [resource.id.toLowerCase(), resource])).values()],
    isProtected: exported.some(({ protect }) => protect),
    outputs: findType('pulumi:pulumi:Stack')?.outputs ?? {},
    provider: findType('pulumi:providers:azure-native')?.inputs ?? {},
  }
}

function toResource({ type, id, outputs }: ExportedResource): StackResource {
  const apiVersion = outputs?.['azureApiVersion']
  return {
    id: id!,
    type: type.split(':').at(-1)!,
    name: id!.split('/').at(-1)!,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : undefined,
  }
}
