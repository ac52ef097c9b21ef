import { callbackify, promisify } from 'node:util'
import grpc from '@grpc/grpc-js'

/** Creates a service method; errors of `handle` fail the call. */
export function method<Request, Response>(handle: (request: Request) => Promise<Response>) {
  const handleCall = callbackify(handle)
  return (call: { readonly request: Request }, callback: (error: object | null, response?: Response) => void): void => {
    handleCall(call.request, (error: Error | null, response) => {
      if (error) callback({ code: grpc.status.UNKNOWN, details: error.message })
      else callback(null, response)
    })
  }
}

/** Listens on a free loopback port. */
export async function serve(
  service: grpc.ServiceDefinition,
  methods: grpc.UntypedServiceImplementation,
): Promise<{ readonly server: grpc.Server; readonly port: number }> {
  const server = new grpc.Server()
  server.addService(service, methods)
  const bind = promisify(server.bindAsync.bind(server))
  return { server, port: await bind('127.0.0.1:0', grpc.ServerCredentials.createInsecure()) }
}
