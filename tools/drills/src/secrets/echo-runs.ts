import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startEmulator } from '@acs-kit/communication-emulator'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { startEchoServer } from '@acs-kit/test-support/echo-server'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'

const serviceScript = fileURLToPath(import.meta.resolve('fastify-communication-tokens/main'))

/** What each program printed. */
export type Outputs = Map<string, { readonly stdout: string; readonly stderr: string }>

/**
 * Runs the quickstart and the service against upstreams that repeat each request in their response, and starts the service with
 * invalid settings that contain secrets. The programs trust the certificate authority of the key folder. Returns the credentials
 * that the upstreams repeated, and the one in the settings.
 */
export async function runAgainstEchoes(
  keyFolder: string,
  accessKey: string,
  outputs: Outputs,
  runQuickstart: (situation: string, env: NodeJS.ProcessEnv) => Promise<void>,
): Promise<string[]> {
  await using emulator = await startEmulator({ keyFolder, trust: false })
  await using communication = await startEchoServer({ tls: emulator.tlsFiles, status: 401 })
  await using store = await startEchoServer({ status: 403, toBody: toTableError })
  await using keys = await startEchoServer({ status: 500 })
  await using issuer = await SignInIssuer.start()
  const connectionString = `endpoint=https://localhost:${communication.port}/;accesskey=${accessKey}`
  await runQuickstart('an upstream that repeats the request', {
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
    NODE_EXTRA_CA_CERTS: emulator.caPath,
  })

  const sig = randomBytes(32).toString('base64')
  const sas = `SharedAccessSignature=sv=2024-11-04&sig=${encodeURIComponent(sig)}`
  const trusted = { issuer: issuer.issuer, audience }
  const env = childEnvironment({
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'debug',
    NODE_EXTRA_CA_CERTS: emulator.caPath,
    SIGN_IN_ISSUERS: JSON.stringify([trusted]),
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
    IDENTITY_STORE_CONNECTION_STRING: `TableEndpoint=http://127.0.0.1:${store.port}/a;${sas}`,
  })
  const jwksUri = `http://127.0.0.1:${keys.port}/keys?sig=${encodeURIComponent(sig)}`
  for (const [program, issuers, upstreams] of [
    ['the service with upstreams that repeat the request', [trusted], [communication, store]],
    ['the service with unavailable sign-in keys', [{ ...trusted, jwksUri }], [keys]],
  ] as const) {
    await using server = await ServerProcess.start({
      script: serviceScript,
      env: { ...env, SIGN_IN_ISSUERS: JSON.stringify(issuers) },
      ready: /"address":/,
    })
    outputs.set(program, server)
    const address = /"address":"([^"]+)"/.exec(server.stdout)![1]!
    const headers = { authorization: `Bearer ${await issuer.sign()}` }
    const response = await fetch(`${address}/v1/token`, { method: 'POST', headers })
    outputs.set(`a response of ${program}`, { stdout: await response.text(), stderr: '' })
    // The health check also calls an upstream, without a request.
    while (server.isRunning && upstreams.some(({ secrets }) => secrets.length === 0)) await sleep(5)
  }

  const password = encodeURIComponent(sig)
  const rejected: Record<string, string> = {
    IDENTITY_STORE_CONNECTION_STRING: `TableEndpoint=http://store.example/;${sas}`,
    IDENTITY_STORE_ENDPOINT: `https://store.example/?sig=${password}`,
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer: `https://user:${password}@login.example`, audience }]),
    ALLOWED_ORIGINS: `https://user:${password}@app.example`,
    SCOPE_POLICY: JSON.stringify({ [sig]: sig }),
  }
  const rejections = Object.entries(rejected).map(async ([name, value]) => {
    await using server = ServerProcess.launch({ script: serviceScript, env: { ...env, [name]: value } })
    outputs.set(`the service with an invalid ${name}`, server)
    while (server.isRunning) {
      if (server.stdout.includes('"address":')) throw new Error(`the service accepted an invalid ${name}`)
      await sleep(5)
    }
    await server.exit()
  })
  await Promise.all(rejections)
  return [sig, ...communication.secrets, ...store.secrets, ...keys.secrets]
}

function toTableError(request: string): string {
  return JSON.stringify({ 'odata.error': { code: request, message: { lang: 'en', value: request } } })
}
