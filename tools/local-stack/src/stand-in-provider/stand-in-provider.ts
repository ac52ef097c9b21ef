import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { ArmClient, type ArmClientOptions } from './arm-client.ts'
import { method, serve } from './grpc-server.ts'
import {
  changesOf,
  createBeforeDelete,
  isUnknown,
  makeUpName,
  parametersOf,
  pathOf,
  previewOutputs,
  toBody,
  toImportedInputs,
  toOutputs,
  toRefreshedInputs,
  withoutNulls,
  type Values,
} from './resource-mapping.ts'
import { invokeTable, resourceTable, type ResourceRow } from './resource-table.ts'

export interface StandInProvider extends AsyncDisposable {
  /** For `PULUMI_DEBUG_PROVIDERS=azure-native:<port>`. */
  readonly port: number
}

/** What the genuine provider takes from the variables `ARM_*`, if the stack's configuration does not have it. */
export interface ProviderEnvironment extends ArmClientOptions {
  readonly subscriptionId: string
}

interface Cloud {
  readonly arm: ArmClient
  readonly subscriptionId: string
  readonly location: string | undefined
}

const configured = ['metadataHost', 'tenantId', 'clientId', 'clientSecret', 'subscriptionId'] as const

/**
 * Stands in for the azure-native provider, which can't be had from a package registry: it makes the calls to the resource
 * manager that the genuine one makes. It proves the engine and the program, not the genuine provider.
 */
export async function startStandInProvider(environment: ProviderEnvironment): Promise<StandInProvider> {
  let cloud: Cloud | undefined
  const connected = () => {
    if (!cloud) throw new Error('the provider is not configured yet')
    return cloud
  }
  const { server, port } = await serve(providerRpc.ResourceProviderService, {
    attach: method(async () => new empty.Empty()),
    cancel: method(async () => new empty.Empty()),
    getPluginInfo: method(async () => new plugin.PluginInfo().setVersion('3.28.0')),
    configure: method(async (request: provider.ConfigureRequest) => {
      cloud = connect({ ...environment, ...valuesOf(request.getArgs()) })
      // The engine keeps track of secrets, as it does for the genuine provider.
      return new provider.ConfigureResponse().setAcceptsecrets(false).setSupportspreview(true)
    }),
    checkConfig: method(async (request: provider.CheckRequest) =>
      new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: method(async () => new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE)),
    check: method((request: provider.CheckRequest) => check(request, connected())),
    diff: method(async (request: provider.DiffRequest) => diff(request)),
    create: method((request: provider.CreateRequest) => create(request, connected())),
    read: method((request: provider.ReadRequest) => read(request, connected())),
    update: method((request: provider.UpdateRequest) => update(request, connected())),
    delete: method((request: provider.DeleteRequest) => remove(request, connected())),
    invoke: method((request: provider.InvokeRequest) => invoke(request, connected())),
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

function connect(values: Values): Cloud {
  const missing = configured.filter((name) => !values[name])
  if (missing.length > 0) {
    throw new Error(`the stand-in provider needs ${missing.map((name) => `azure-native:${name}`).join(', ')}`)
  }
  const { subscriptionId, location, ...arm } = values as Values & ProviderEnvironment & { readonly location?: string }
  return { arm: new ArmClient(arm), subscriptionId, location }
}

/** Gives what was not given its name and place. */
async function check(request: provider.CheckRequest, { arm, subscriptionId, location }: Cloud) {
  const row = rowOf(request.getUrn())
  const olds = valuesOf(request.getOlds())
  const news: Record<string, unknown> = { ...valuesOf(request.getNews()) }
  const nameParameter = parametersOf(row.path).at(-1)!
  if (news[nameParameter] === undefined) {
    const before = olds[nameParameter]
    news[nameParameter] = before ?? makeUpName(row, logicalNameOf(request.getUrn()), request.getRandomseed_asU8())
    if (before === undefined ? row.naming !== 'copy' : olds[createBeforeDelete]) news[createBeforeDelete] = true
  }
  if (row.top.includes('location')) {
    news['location'] ??= olds['location'] ?? location ?? (await locationOfGroup(news['resourceGroupName']))
  }
  const failures = parametersOf(row.path)
    .filter((name) => name !== 'subscriptionId' && news[name] === undefined)
    .map((name) => new provider.CheckFailure().setProperty(name).setReason('it is missing'))
  return new provider.CheckResponse().setInputs(structOf(news)).setFailuresList(failures)

  async function locationOfGroup(group: unknown): Promise<unknown> {
    if (group === undefined || isUnknown(group)) return group
    const { path, apiVersion } = resourceTable['azure-native:resources:ResourceGroup']!
    return (await arm.call('GET', pathOf(path, news, subscriptionId), apiVersion)).body['location']
  }
}

async function diff(request: provider.DiffRequest) {
  const before = valuesOf(request.getOldInputs())
  const changes = changesOf(rowOf(request.getUrn()), before, valuesOf(request.getNews()))
  const replaces = changes.filter(({ isReplacement }) => isReplacement).map(({ path }) => path)
  const { DiffChanges } = provider.DiffResponse
  const response = new provider.DiffResponse()
    .setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList(changes.map(({ name }) => name))
    .setReplacesList(replaces)
    .setHasdetaileddiff(true)
    // A name that was made up can be made up once more beside the old one; a given one has to be free first.
    .setDeletebeforereplace(replaces.length > 0 && !before[createBeforeDelete])
  for (const { path, kind, isReplacement } of changes) {
    const key = isReplacement ? (`${kind}_REPLACE` as const) : kind
    response
      .getDetaileddiffMap()
      .set(path, new provider.PropertyDiff().setKind(provider.PropertyDiff.Kind[key]).setInputdiff(true))
  }
  return response
}

async function create(request: provider.CreateRequest, { arm, subscriptionId }: Cloud) {
  const row = rowOf(request.getUrn())
  const inputs = valuesOf(request.getProperties())
  if (request.getPreview()) return new provider.CreateResponse().setProperties(structOf(previewOutputs(inputs)))
  const path = pathOf(row.path, inputs, subscriptionId)
  const { status } = await arm.call('GET', path, row.apiVersion)
  if (status !== 404) throw new Error(`cannot create already existing resource ${path}`)
  const body = await write(row, path, inputs, arm)
  // As the resource manager spells it.
  const id = typeof body['id'] === 'string' ? body['id'] : path
  return new provider.CreateResponse().setId(id).setProperties(structOf(toOutputs(row, inputs, body)))
}

async function read(request: provider.ReadRequest, { arm }: Cloud) {
  const row = rowOf(request.getUrn())
  const { status, body } = await arm.call('GET', request.getId(), row.apiVersion)
  // Without an id, it is gone.
  if (status === 404) return new provider.ReadResponse()
  const inputsBefore = valuesOf(request.getInputs())
  const outputs = toOutputs(row, inputsBefore, body)
  const isImport = Object.keys(inputsBefore).length === 0
  const inputs = isImport
    ? toImportedInputs(row, request.getId(), outputs)
    : toRefreshedInputs(row, inputsBefore, valuesOf(request.getProperties()), outputs)
  return new provider.ReadResponse().setId(request.getId()).setProperties(structOf(outputs)).setInputs(structOf(inputs))
}

async function update(request: provider.UpdateRequest, { arm }: Cloud) {
  const row = rowOf(request.getUrn())
  const inputs = valuesOf(request.getNews())
  if (request.getPreview()) {
    const outputs = previewOutputs(inputs, valuesOf(request.getOlds()))
    return new provider.UpdateResponse().setProperties(structOf(outputs))
  }
  const body = await write(row, request.getId(), inputs, arm)
  return new provider.UpdateResponse().setProperties(structOf(toOutputs(row, inputs, body)))
}

/** Puts a resource, and returns it as it is read afterwards, which is what a refresh compares with. */
async function write(row: ResourceRow, path: string, inputs: Values, arm: ArmClient): Promise<Values> {
  const written = await arm.call('PUT', path, row.apiVersion, toBody(row, inputs))
  // The resource exists: a failure here must not make the engine forget it.
  const { status, body } = await arm.call('GET', path, row.apiVersion).catch(() => written)
  return status === 404 ? written.body : body
}

async function remove(request: provider.DeleteRequest, { arm }: Cloud) {
  await arm.call('DELETE', request.getId(), rowOf(request.getUrn()).apiVersion)
  return new empty.Empty()
}

async function invoke(request: provider.InvokeRequest, { arm, subscriptionId }: Cloud) {
  const token = request.getTok()
  const args = valuesOf(request.getArgs())
  const action = invokeTable[token]
  if (action) {
    const { body } = await arm.call('POST', pathOf(action.path, args, subscriptionId), action.apiVersion)
    return new provider.InvokeResponse().setReturn(structOf(body))
  }
  const row = resourceTable[token.replace(/:get(?=\w+$)/, ':')]
  if (!row)
    throw new Error(
      `the stand-in provider does not know ${token}: add it to tools/local-stack/src/stand-in-provider/resource-table.ts`,
    )
  const path = pathOf(row.path, args, subscriptionId)
  const { status, body } = await arm.call('GET', path, row.apiVersion)
  if (status === 404) throw new Error(`${path} does not exist`)
  return new provider.InvokeResponse().setReturn(structOf({ id: body['id'], ...toOutputs(row, {}, body) }))
}

function rowOf(urn: string): ResourceRow {
  const type = urn.split('::')[2]!.split('$').at(-1)!
  const row = resourceTable[type]
  if (!row)
    throw new Error(
      `the stand-in provider does not know ${type}: add it to tools/local-stack/src/stand-in-provider/resource-table.ts`,
    )
  return row
}

function logicalNameOf(urn: string): string {
  return urn.split('::').at(-1)!
}

function valuesOf(message: struct.Struct | undefined): Values {
  return withoutNulls(message?.toJavaScript() ?? {})
}

function structOf(values: Values): struct.Struct {
  // It takes no undefined.
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, struct.JavaScriptValue>)
}
