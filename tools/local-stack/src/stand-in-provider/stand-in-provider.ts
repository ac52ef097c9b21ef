import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { ArmClient, type ArmClientOptions } from './arm-client.ts'
import { BlobClient } from './blob-client.ts'
import { method, serve } from './grpc-server.ts'
import {
  findChanges,
  createBeforeDelete,
  isUnknown,
  generateName,
  getParameters,
  toPath,
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
  /** Port for `PULUMI_DEBUG_PROVIDERS=azure-native:<port>`. */
  readonly port: number
}

/** Values for configuration that the stack does not set; the genuine provider reads them from `ARM_*` variables. */
export interface ProviderEnvironment extends ArmClientOptions {
  readonly subscriptionId: string
}

type ResourceClient = Pick<ArmClient | BlobClient, 'call'>

interface Cloud {
  readonly arm: ArmClient
  readonly blobs: BlobClient
  readonly subscriptionId: string
  readonly location: string | undefined
}

const requiredNames = ['metadataHost', 'tenantId', 'clientId', 'clientSecret', 'subscriptionId'] as const

/**
 * Starts a stand-in for the azure-native provider, which no package registry offers. It makes the same requests to the
 * resource manager. Tests that use it cover the engine and the program, but not the genuine provider.
 */
export async function startStandInProvider(environment: ProviderEnvironment): Promise<StandInProvider> {
  let cloud: Cloud | undefined
  const cloudMethod = <Request, Response>(handle: (request: Request, cloud: Cloud) => Promise<Response>) =>
    method(async (request: Request) => {
      if (!cloud) throw new Error('the stand-in provider is not configured: call Configure first')
      return handle(request, cloud)
    })
  const { server, port } = await serve(providerRpc.ResourceProviderService, {
    attach: method(async () => new empty.Empty()),
    cancel: method(async () => new empty.Empty()),
    getPluginInfo: method(async () => new plugin.PluginInfo().setVersion('3.28.0')),
    configure: method(async (request: provider.ConfigureRequest) => {
      cloud = connect({ ...environment, ...toValues(request.getArgs()) })
      // The engine tracks secrets, as it does for the genuine provider.
      return new provider.ConfigureResponse().setAcceptsecrets(false).setSupportspreview(true)
    }),
    checkConfig: method(async (request: provider.CheckRequest) =>
      new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: method(async () => new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE)),
    check: cloudMethod(check),
    diff: method(diff),
    create: cloudMethod(create),
    read: cloudMethod(read),
    update: cloudMethod(update),
    delete: cloudMethod(remove),
    invoke: cloudMethod(invoke),
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

function connect(values: Values): Cloud {
  const missing = requiredNames.filter((name) => !values[name])
  if (missing.length > 0) {
    const names = missing.map((name) => `azure-native:${name}`).join(', ')
    throw new Error(`the stand-in provider has no value for ${names}: set it with pulumi config set`)
  }
  const { subscriptionId, location, ...arm } = values as Values & ProviderEnvironment & { readonly location?: string }
  const client = new ArmClient(arm)
  return { arm: client, blobs: new BlobClient(client), subscriptionId, location }
}

function getClient({ apiVersion }: ResourceRow, { arm, blobs }: Cloud): ResourceClient {
  return apiVersion === undefined ? blobs : arm
}

/** Adds a missing name and location. */
async function check(request: provider.CheckRequest, { arm, subscriptionId, location }: Cloud) {
  const row = getRow(request.getUrn())
  const olds = toValues(request.getOlds())
  const news: Record<string, unknown> = { ...toValues(request.getNews()) }
  const nameParameter = getParameters(row.path).at(-1)!
  if (news[nameParameter] === undefined) {
    const before = olds[nameParameter]
    const logicalName = request.getUrn().split('::').at(-1)!
    news[nameParameter] = before ?? generateName(row, logicalName, request.getRandomseed_asU8())
    if (before === undefined ? row.naming !== 'copy' : olds[createBeforeDelete]) news[createBeforeDelete] = true
  }
  if (row.top?.includes('location')) {
    news['location'] ??= olds['location'] ?? location ?? (await getGroupLocation(news['resourceGroupName']))
  }
  const failures = getParameters(row.path)
    .filter((name) => name !== 'subscriptionId' && news[name] === undefined)
    .map((name) => new provider.CheckFailure().setProperty(name).setReason('missing'))
  return new provider.CheckResponse().setInputs(toStruct(news)).setFailuresList(failures)

  async function getGroupLocation(group: unknown): Promise<unknown> {
    if (group === undefined || isUnknown(group)) return group
    const { path, apiVersion } = resourceTable['azure-native:resources:ResourceGroup']!
    return (await arm.call('GET', toPath(path, news, subscriptionId), apiVersion)).body['location']
  }
}

async function diff(request: provider.DiffRequest) {
  const before = toValues(request.getOldInputs())
  const changes = findChanges(getRow(request.getUrn()), before, toValues(request.getNews()))
  const replaces = changes.filter(({ isReplacement }) => isReplacement).map(({ path }) => path)
  const { DiffChanges } = provider.DiffResponse
  const response = new provider.DiffResponse()
    .setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList(changes.map(({ name }) => name))
    .setReplacesList(replaces)
    .setHasdetaileddiff(true)
    // A replacement needs another name than the old resource: a generated name differs, a given one does not.
    .setDeletebeforereplace(replaces.length > 0 && !before[createBeforeDelete])
  for (const { path, kind, isReplacement } of changes) {
    const key = isReplacement ? (`${kind}_REPLACE` as const) : kind
    response
      .getDetaileddiffMap()
      .set(path, new provider.PropertyDiff().setKind(provider.PropertyDiff.Kind[key]).setInputdiff(true))
  }
  return response
}

async function create(request: provider.CreateRequest, cloud: Cloud) {
  const row = getRow(request.getUrn())
  const client = getClient(row, cloud)
  const inputs = toValues(request.getProperties())
  if (request.getPreview()) return new provider.CreateResponse().setProperties(toStruct(previewOutputs(inputs)))
  const path = toPath(row.path, inputs, cloud.subscriptionId)
  const { status } = await client.call('GET', path, row.apiVersion)
  if (status !== 404 && !row.defaults) throw new Error(`cannot create already existing resource ${path}`)
  const body = await write(row, path, inputs, client)
  // In the resource manager's spelling.
  const id = typeof body['id'] === 'string' ? body['id'] : path
  return new provider.CreateResponse().setId(id).setProperties(toStruct(toOutputs(row, inputs, body)))
}

async function read(request: provider.ReadRequest, cloud: Cloud) {
  const row = getRow(request.getUrn())
  const { status, body } = await getClient(row, cloud).call('GET', request.getId(), row.apiVersion)
  // A response without an id means that the resource is deleted.
  if (status === 404) return new provider.ReadResponse()
  const inputsBefore = toValues(request.getInputs())
  const outputs = toOutputs(row, inputsBefore, body)
  const isImport = Object.keys(inputsBefore).length === 0
  const inputs = isImport
    ? toImportedInputs(row, request.getId(), outputs)
    : toRefreshedInputs(row, inputsBefore, toValues(request.getProperties()), outputs)
  return new provider.ReadResponse().setId(request.getId()).setProperties(toStruct(outputs)).setInputs(toStruct(inputs))
}

async function update(request: provider.UpdateRequest, cloud: Cloud) {
  const row = getRow(request.getUrn())
  const inputs = toValues(request.getNews())
  if (request.getPreview()) {
    const outputs = previewOutputs(inputs, toValues(request.getOlds()))
    return new provider.UpdateResponse().setProperties(toStruct(outputs))
  }
  const body = await write(row, request.getId(), inputs, getClient(row, cloud))
  return new provider.UpdateResponse().setProperties(toStruct(toOutputs(row, inputs, body)))
}

/** Writes a resource and returns it as read afterwards, which is what a refresh compares with. */
async function write(row: ResourceRow, path: string, inputs: Values, client: ResourceClient): Promise<Values> {
  const written = await client.call('PUT', path, row.apiVersion, toBody(row, inputs))
  // The resource exists: after a failure here the engine must still record it.
  const { status, body } = await client.call('GET', path, row.apiVersion).catch(() => written)
  return status === 404 ? written.body : body
}

async function remove(request: provider.DeleteRequest, cloud: Cloud) {
  const row = getRow(request.getUrn())
  const client = getClient(row, cloud)
  if (row.defaults) await client.call('PUT', request.getId(), row.apiVersion, toBody(row, row.defaults))
  else await client.call('DELETE', request.getId(), row.apiVersion)
  return new empty.Empty()
}

async function invoke(request: provider.InvokeRequest, { arm, subscriptionId }: Cloud) {
  const token = request.getTok()
  const args = toValues(request.getArgs())
  const action = invokeTable[token]
  if (action) {
    const { body } = await arm.call('POST', toPath(action.path, args, subscriptionId), action.apiVersion)
    return new provider.InvokeResponse().setReturn(toStruct(body))
  }
  const row = findRow(token.replace(/:get(?=\w+$)/, ':'), token)
  const path = toPath(row.path, args, subscriptionId)
  const { status, body } = await arm.call('GET', path, row.apiVersion)
  if (status === 404) throw new Error(`${path} does not exist`)
  return new provider.InvokeResponse().setReturn(toStruct({ id: body['id'], ...toOutputs(row, {}, body) }))
}

function getRow(urn: string): ResourceRow {
  return findRow(urn.split('::')[2]!.split('$').at(-1)!)
}

/** `token` is the name in a program. */
function findRow(type: string, token = type): ResourceRow {
  const row = resourceTable[type]
  if (row) return row
  const table = 'tools/local-stack/src/stand-in-provider/resource-table.ts'
  throw new Error(`the stand-in provider does not support ${token}: add it to ${table}`)
}

function toValues(message: struct.Struct | undefined): Values {
  return withoutNulls(message?.toJavaScript() ?? {})
}

function toStruct(values: Values): struct.Struct {
  // Struct has no undefined.
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, struct.JavaScriptValue>)
}
