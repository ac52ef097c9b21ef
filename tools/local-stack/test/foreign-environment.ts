import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface ForeignEnvironment extends AsyncDisposable {
  readonly variables: Readonly<Record<string, string>>
  /** Number of connections to the proxy. */
  readonly proxied: number
}

/** Environment of a shell with a proxy, and with settings of other programs under names that our programs also read. */
export async function startForeignEnvironment(): Promise<ForeignEnvironment> {
  let proxied = 0
  const proxy = createServer((socket: Socket) => {
    proxied++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const proxyNames = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'GRPC_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ])
  return {
    variables: {
      ...Object.fromEntries(proxyNames.map((name) => [name, url])),
      NODE_USE_ENV_PROXY: '1',
      AZURITE_ACCOUNTS: 'other:b3RoZXI=',
      AZURE_AUTHORITY_HOST: url,
      AZURE_CLIENT_ID: 'other',
      AZURE_CLIENT_SECRET: 'other',
      AZURE_TENANT_ID: 'other',
      COMMUNICATION_SERVICES_ENDPOINT: 'https://other.example/',
      HOST: 'other.example',
      IDENTITY_ENDPOINT: url,
      IDENTITY_HEADER: 'other',
      IDENTITY_STORE_CONNECTION_STRING: 'other',
      IDENTITY_STORE_ENDPOINT: 'https://other.example/',
      LOG_LEVEL: 'warn',
      METRICS_PORT: '1',
      PORT: '1',
      PULUMI_BACKEND_URL: 'https://other.example/',
      PULUMI_CONFIG_PASSPHRASE_FILE: '/missing',
      SIGN_IN_ISSUERS: 'other',
      TRUSTED_PROXIES: 'other',
    },
    get proxied() {
      return proxied
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
