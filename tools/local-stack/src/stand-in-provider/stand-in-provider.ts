import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import { ArmError } from './arm-client.ts'
import { check } from './check.ts'
import { connect, getClient, type Cloud, type ProviderEnvironment, type ResourceClient } from './cloud.ts'
import { diff } from './diff.ts'
import { findRow, findRowOfUrn } from './find-row.ts'
import { method, serve } from './grpc-server.ts'
import {
  hasNull,
  previewOutputs,
  toBody,
  toImportedInputs,
  toOutputs,
  toPath,
  toRefreshedInputs,
} from './resource-mapping.ts'
import { invokeTable, type ResourceRow } from './resource-table.ts'
import { toStruct, toValues, type Values } from './struct-values.ts'

export interface StandInProvider extends AsyncDisposable {
  /** Port for `PULUMI_DEBUG_PROVIDERS=azure-native:<port>`. */
  readonly port: number
}

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
      return new provider.ConfigureResponse()
        .setAcceptsecrets(false)
        .setSupportspreview(true)
        .setSupportsAutonamingConfiguration(true)
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

async function create(request: provider.CreateRequest, cloud: Cloud) {
  const row = findRowOfUrn(request.getUrn())
  const client = getClient(row, cloud)
  const inputs = toValues(request.getProperties())
  if (request.getPreview()) return new provider.CreateResponse().setProperties(toStruct(previewOutputs(inputs)))
  const path = toPath(row.path, inputs, cloud.subscriptionId)
  await checkAbsence(row, path, client)
  const body = await write(row, path, inputs, client)
  // In the resource manager's spelling.
  const id = typeof body['id'] === 'string' ? body['id'] : path
  return new provider.CreateResponse().setId(id).setProperties(toStruct(toOutputs(row, body)))
}

/** Throws if a resource exists, unless it always does: a PUT would change it. */
async function checkAbsence(
  { apiVersion, defaults }: ResourceRow,
  path: string,
  client: ResourceClient,
): Promise<void> {
  const { status } = await client.call('GET', path, apiVersion).catch((error: unknown) => {
    if (!(error instanceof ArmError)) throw error
    throw new Error(`cannot check existence of resource '${path}': status code ${error.status}, ${error.body}`)
  })
  if (status === 200 && !defaults) throw new Error(`cannot create already existing resource '${path}'`)
}

async function read(request: provider.ReadRequest, cloud: Cloud) {
  const row = findRowOfUrn(request.getUrn())
  const body = await getResource(row, request.getId(), getClient(row, cloud))
  // A response without an id means that the resource is deleted.
  if (!body) return new provider.ReadResponse()
  const inputsBefore = toValues(request.getInputs())
  const outputs = toOutputs(row, body)
  const isImport = Object.keys(inputsBefore).length === 0
  const inputs = isImport
    ? toImportedInputs(row, request.getId(), outputs)
    : toRefreshedInputs(row, inputsBefore, toValues(request.getProperties()), outputs)
  return new provider.ReadResponse().setId(request.getId()).setProperties(toStruct(outputs)).setInputs(toStruct(inputs))
}

async function update(request: provider.UpdateRequest, cloud: Cloud) {
  const row = findRowOfUrn(request.getUrn())
  const inputs = toValues(request.getNews())
  if (request.getPreview()) {
    const outputs = previewOutputs(inputs, toValues(request.getOlds()))
    return new provider.UpdateResponse().setProperties(toStruct(outputs))
  }
  const body = await write(row, request.getId(), inputs, getClient(row, cloud), toValues(request.getOldInputs()))
  return new provider.UpdateResponse().setProperties(toStruct(toOutputs(row, body)))
}

/** Writes a resource and returns it as read afterwards, which is what a refresh compares with. */
async function write(
  row: ResourceRow,
  path: string,
  inputs: Values,
  client: ResourceClient,
  before?: Values,
): Promise<Values> {
  const body = toBody(row, inputs, before)
  const written = await client.call(hasNull(body) ? 'PATCH' : 'PUT', path, row.apiVersion, body)
  // The resource exists: after a failure here the engine must still record it.
  return (await getResource(row, path, client).catch(() => undefined)) ?? written.body
}

/** Reads a resource with its parts. Resolves with undefined if it does not exist. */
async function getResource(
  { apiVersion, parts = {} }: ResourceRow,
  path: string,
  client: ResourceClient,
): Promise<Values | undefined> {
  const { status, body } = await client.call('GET', path, apiVersion)
  if (status === 404) return undefined
  const properties: Record<string, unknown> = { ...(body['properties'] as Values) }
  for (const [name, below] of Object.entries(parts)) {
    properties[name] = (await client.call('GET', `${path}/${below}`, apiVersion)).body['properties']
  }
  return { ...body, properties }
}

async function remove(request: provider.DeleteRequest, cloud: Cloud) {
  const row = findRowOfUrn(request.getUrn())
  const { apiVersion, defaults, deleteQuery } = row
  const client = getClient(row, cloud)
  if (defaults) await client.call('PUT', request.getId(), apiVersion, toBody(row, defaults))
  else await client.call('DELETE', request.getId(), apiVersion, undefined, deleteQuery)
  return new empty.Empty()
}

async function invoke(request: provider.InvokeRequest, cloud: Cloud) {
  const { arm, subscriptionId } = cloud
  const token = request.getTok()
  const args = toValues(request.getArgs())
  const action = invokeTable[token]
  if (action) {
    const { body } = await arm.call('POST', toPath(action.path, args, subscriptionId), action.apiVersion)
    return new provider.InvokeResponse().setReturn(toStruct(body))
  }
  const row = findRow(token.replace(/:get(?=\w+$)/, ':'), token)
  const path = toPath(row.path, args, subscriptionId)
  const { status, body } = await getClient(row, cloud).call('GET', path, row.apiVersion)
  if (status === 404) throw new Error(`${path} does not exist`)
  return new provider.InvokeResponse().setReturn(toStruct({ id: body['id'], ...toOutputs(row, body) }))
}
