import { promisify } from 'node:util'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import grpc from '@grpc/grpc-js'
import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

export type Inputs = Record<string, struct.JavaScriptValue>

export const urn = (type: string, name = 'name') => `urn:pulumi:local::acs-kit::${type}::${name}`
const fromJavaScript = (values: Inputs) => struct.Struct.fromJavaScript(values)

/** Calls a provider as the engine does. */
export class ProviderClient implements Disposable {
  readonly rpc: InstanceType<typeof providerRpc.ResourceProviderClient>

  constructor(port: number) {
    this.rpc = new providerRpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  }

  async configure(values: Inputs = {}): Promise<void> {
    await promisify(this.rpc.configure.bind(this.rpc))(new provider.ConfigureRequest().setArgs(fromJavaScript(values)))
  }

  /** Returns the checked inputs and the reasons of the failures. */
  async check(type: string, news: Inputs, olds: Inputs = {}, autonaming?: provider.CheckRequest.AutonamingOptions) {
    const request = new provider.CheckRequest()
      .setUrn(urn(type))
      .setOlds(fromJavaScript(olds))
      .setNews(fromJavaScript(news))
      .setRandomseed(new Uint8Array(32))
      .setAutonaming(autonaming)
    const response = (await promisify(this.rpc.check.bind(this.rpc))(request)) as provider.CheckResponse
    const failures = response.getFailuresList().map((failure) => [failure.getProperty(), failure.getReason()])
    return { inputs: response.getInputs()!.toJavaScript(), failures }
  }

  async diff(
    type: string,
    { oldInputs, news, outputs = {} }: { oldInputs: Inputs; news: Inputs; outputs?: Inputs },
  ): Promise<provider.DiffResponse> {
    const request = new provider.DiffRequest()
      .setUrn(urn(type))
      .setOlds(fromJavaScript(outputs))
      .setOldInputs(fromJavaScript(oldInputs))
      .setNews(fromJavaScript(news))
    return (await promisify(this.rpc.diff.bind(this.rpc))(request)) as provider.DiffResponse
  }

  /** Creates a resource; resolves with its id. */
  async create(type: string, inputs: Inputs): Promise<string> {
    return (await this.createWithOutputs(type, inputs)).id
  }

  async createWithOutputs(type: string, inputs: Inputs): Promise<{ id: string; outputs: Inputs }> {
    const request = new provider.CreateRequest().setUrn(urn(type)).setProperties(fromJavaScript(inputs))
    const response = (await promisify(this.rpc.create.bind(this.rpc))(request)) as provider.CreateResponse
    return { id: response.getId(), outputs: response.getProperties()!.toJavaScript() }
  }

  async read(request: provider.ReadRequest): Promise<provider.ReadResponse> {
    return (await promisify(this.rpc.read.bind(this.rpc))(request)) as provider.ReadResponse
  }

  async update(type: string, id: string, oldInputs: Inputs, news: Inputs): Promise<Inputs> {
    const request = new provider.UpdateRequest()
      .setUrn(urn(type))
      .setId(id)
      .setOldInputs(fromJavaScript(oldInputs))
      .setNews(fromJavaScript(news))
    const response = (await promisify(this.rpc.update.bind(this.rpc))(request)) as provider.UpdateResponse
    return response.getProperties()!.toJavaScript()
  }

  async delete(type: string, id: string): Promise<void> {
    await promisify(this.rpc.delete.bind(this.rpc))(new provider.DeleteRequest().setUrn(urn(type)).setId(id))
  }

  [Symbol.dispose](): void {
    this.rpc.close()
  }
}

/** Starts an emulator with a configured stand-in provider. */
export async function startProvider(): Promise<
  AsyncDisposable & { readonly emulator: Emulator; readonly client: ProviderClient }
> {
  await using open = new AsyncDisposableStack()
  const emulator = open.use(await startEmulator())
  const { port } = open.use(await startStandInProvider(emulator.resourceManager.servicePrincipal))
  const client = open.use(new ProviderClient(port))
  await client.configure()
  const owned = open.move()
  return { emulator, client, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
