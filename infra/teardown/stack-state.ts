/** A resource of Azure that a stack made. */
export interface StackResource {
  readonly id: string
  /** As the program calls it: `CommunicationService`. */
  readonly type: string
  readonly name: string
  /** Undefined for what the resource manager can't be asked for, such as a blob. */
  readonly apiVersion: string | undefined
}

export interface StackState {
  readonly resources: readonly StackResource[]
  readonly isProtected: boolean
  readonly outputs: Values
  /** What the stack's configuration says of the cloud. */
  readonly provider: Values
}

type Values = Readonly<Record<string, unknown>>

interface ExportedResource {
  readonly type: string
  readonly id?: string
  readonly protect?: boolean
  /** Somebody else's, which is only read. */
  readonly external?: boolean
  readonly inputs?: Values
  readonly outputs?: Values
}

/** Reads what `pulumi stack export` prints. */
export function parseState(text: string): StackState {
  const { deployment } = JSON.parse(text) as { deployment?: { resources?: readonly ExportedResource[] } }
  const exported = deployment?.resources ?? []
  const ofType = (type: string) => exported.find((resource) => resource.type === type)
  const own = exported.filter(({ id, external }) => id?.startsWith('/subscriptions/') && !external).map(toResource)
  return {
    // One that is being replaced is there twice.
    resources: [...new Map(own.map((resource) => [resource.id.toLowerCase(), resource])).values()],
    isProtected: exported.some(({ protect }) => protect),
    outputs: ofType('pulumi:pulumi:Stack')?.outputs ?? {},
    provider: ofType('pulumi:providers:azure-native')?.inputs ?? {},
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
