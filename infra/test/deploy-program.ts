import { ComponentResource, isSecret, Resource, runtime, type Inputs, type Output } from '@pulumi/pulumi'
import { MockMonitor } from '@pulumi/pulumi/runtime/mocks.js'
import { expect, onTestFinished, vi } from 'vitest'

export const group = '/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/group'
export const issuers = [{ issuer: 'https://sign-in.example', audience: 'api://tokens' }]

export interface Registered {
  readonly type: string
  readonly name: string
  readonly isProtected: boolean
  readonly inputs: Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any -- asserted, not trusted
}

// Pulumi's mocks declare support for error hooks, but do not implement their registration.
Object.assign(MockMonitor.prototype, {
  registerErrorHook: (_request: unknown, callback: (error: null, response: object) => void) => callback(null, {}),
})

/** Runs the program of a stack without an engine or Azure, and records what it registers. */
export async function deploy(config: Record<string, unknown> = {}, stack = 'dev') {
  const registered: Registered[] = []
  const calls: string[] = []
  const components = recordComponents()
  const isProtected = recordProtection()
  await runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const resource = { type, name, isProtected: isProtected(type, name) }
        registered.push({ ...resource, inputs: unwrap(inputs) as Registered['inputs'] })
        const id = `${group}/providers/${type.split(':').slice(1).join('/')}/${name}`
        return {
          id,
          state: {
            ...(inputs as object),
            name: `${name}-made`,
            hostName: 'calls.communication.azure.com',
            immutableResourceId: 'immutable',
            defaultHostName: 'site.azurewebsites.net',
            primaryEndpoints: {
              table: 'https://map.table.core.windows.net/',
              blob: 'https://pkg.blob.core.windows.net/',
            },
          },
        }
      },
      call({ token }) {
        calls.push(token)
        if (token === 'azure-native:managedidentity:getUserAssignedIdentity')
          return { clientId: 'client', principalId: 'principal' }
        if (token !== 'azure-native:communication:listCommunicationServiceKeys')
          throw new Error(`unexpected call of ${token}`)
        return {
          primaryKey: 'key-1',
          secondaryKey: 'key-2',
          primaryConnectionString: 'endpoint=https://calls;accesskey=key-1',
          secondaryConnectionString: 'endpoint=https://calls;accesskey=key-2',
        }
      },
    },
    'acs-kit',
    stack,
  )
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  const all = { issuers, deployPackage: false, ...config }
  runtime.setAllConfig({
    'azure-native:location': 'westeurope',
    ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`acs-kit:${name}`, text(value)])),
  })
  vi.resetModules()
  const outputs = await resolveOutputs((await import('../index.ts')) as Record<string, Output<unknown>>)
  // Some resources depend on others that no output needs.
  await runtime.disconnect()
  return {
    registered,
    calls,
    /** Returns the resources of Azure with a type in the form `web:WebApp`. */
    azureResources: () =>
      registered
        .filter(({ type }) => type.startsWith('azure-native:'))
        .map((resource) => ({ ...resource, type: resource.type.replace('azure-native:', '') })),
    /** Describes a component of this type, which has to expose and register its children as fields. */
    describeComponent: (type: string) => describeComponent(components().get(type)!),
    one: (type: string) => {
      const found = registered.filter((resource) => resource.type === `azure-native:${type}`)
      expect(found, type).toHaveLength(1)
      return found[0]!.inputs
    },
    outputs,
  }
}

interface Component {
  readonly instance: ComponentResource
  readonly outputs: Inputs
}

/** Records components, by their types, with the outputs that they register. */
function recordComponents(): () => ReadonlyMap<string, Component> {
  const prototype = ComponentResource.prototype as unknown as { registerOutputs: (outputs?: Inputs) => void }
  const spy = vi.spyOn(prototype, 'registerOutputs')
  onTestFinished(() => spy.mockRestore())
  return () => {
    const instances = spy.mock.contexts as unknown as (ComponentResource & { readonly __pulumiType: string })[]
    // The base class also calls it, without outputs.
    const calls = spy.mock.calls.flatMap(([outputs], index) =>
      outputs ? [{ instance: instances[index]!, outputs }] : [],
    )
    return new Map(calls.map((call) => [call.instance.__pulumiType, call]))
  }
}

/** Records the option `protect`, which Pulumi's mocks do not pass on. */
function recordProtection() {
  const spy = vi.spyOn(MockMonitor.prototype, 'registerResource')
  onTestFinished(() => spy.mockRestore())
  return (type: string, name: string) =>
    spy.mock.calls.some(
      ([request]: { getType(): string; getName(): string; getProtect(): boolean }[]) =>
        request!.getType() === type && request!.getName() === name && request!.getProtect(),
    )
}

async function resolveOutputs(outputs: Record<string, Output<unknown>>) {
  const values = await Promise.all(
    Object.entries(outputs)
      .filter(([, output]) => output !== undefined)
      .map(async ([name, output]) => [
        name,
        { value: await new Promise((resolve) => output.apply(resolve)), isSecret: await isSecret(output) },
      ]),
  )
  return Object.fromEntries(values) as Record<string, { value: unknown; isSecret: boolean }>
}

/** Secrets reach the engine in an envelope. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap)
  if (typeof value !== 'object' || value === null) return value
  if ('4dabf18193072939515e22adb298388d' in value) return unwrap((value as unknown as { value: unknown }).value)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unwrap(member)]))
}

async function describeComponent({ instance, outputs }: Component) {
  const isResources = (value: unknown): value is Resource | Resource[] =>
    [value].flat().every((member) => Resource.isInstance(member))
  const describeChild = (child: Resource) => {
    const { __pulumiType, __name, __parentResource } = child as unknown as Record<string, unknown>
    expect(__parentResource, `parent of ${String(__name)}`).toBe(instance)
    return `${String(__pulumiType)} ${String(__name)}`
  }
  const fields = instance as unknown as Record<string, unknown>
  const children: Record<string, string | string[]> = {}
  const others: Record<string, Output<unknown>> = {}
  for (const [name, value] of Object.entries(outputs) as [string, unknown][]) {
    if (!isResources(value)) {
      others[name] = value as Output<unknown>
      continue
    }
    expect(fields[name], `field ${name}`).toBe(value)
    children[name] = Array.isArray(value) ? value.map(describeChild) : describeChild(value)
  }
  const resolved = Object.entries(await resolveOutputs(others)).map(([name, { value }]) => [name, value])
  return { name: fields['__name'], children, outputs: Object.fromEntries(resolved) as object }
}

/** Returns the app settings of a site by name. */
export const getSettings = (site: Registered['inputs']) =>
  Object.fromEntries(
    (site['siteConfig'].appSettings as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
  )
