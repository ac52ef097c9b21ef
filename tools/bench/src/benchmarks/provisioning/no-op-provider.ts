import { method, serve } from '@acs-kit/local-stack/stand-in-provider/grpc-server'
import type { StandInProvider } from '@acs-kit/local-stack/stand-in-provider/stand-in-provider'
import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'

const nothing = async () => new empty.Empty()

/** A provider that accepts every call and does nothing, so that only the engine's own time is left. */
export async function startNoOpProvider(): Promise<StandInProvider> {
  const { server, port } = await serve(providerRpc.ResourceProviderService, {
    attach: method(nothing),
    cancel: method(nothing),
    getPluginInfo: method(async () => new plugin.PluginInfo().setVersion('3.28.0')),
    configure: method(async () => new provider.ConfigureResponse()),
    checkConfig: method(async (request: provider.CheckRequest) =>
      new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: method(async () => new provider.DiffResponse()),
    check: method(async (request: provider.CheckRequest) => new provider.CheckResponse().setInputs(request.getNews())),
    diff: method(async () => new provider.DiffResponse()),
    create: method(async (request: provider.CreateRequest) =>
      new provider.CreateResponse().setId(request.getName()).setProperties(request.getProperties()),
    ),
    delete: method(nothing),
    invoke: method(async () => new provider.InvokeResponse().setReturn(new struct.Struct())),
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}
