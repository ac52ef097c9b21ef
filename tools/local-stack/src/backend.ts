import { join } from 'node:path'
import {
  startEmulator,
  wellKnownPublicClientId,
  wellKnownTenantId,
  type Emulator,
} from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'
import { EmulatorProcess } from './emulator-process.ts'
import { TokenServiceProcess, type TokenServiceProcessOptions } from './token-service-process.ts'

interface CommonOptions {
  /** Settings of every service. */
  readonly settings?: NodeJS.ProcessEnv
}

/** Runs the emulator in this process and the services from their sources. The emulator signs users in. */
export interface InProcessOptions extends CommonOptions {
  readonly emulator?: undefined
  /** Default: a free port. */
  readonly emulatorPort?: number
  /** Folder of the certificate authority. Default: one per user. */
  readonly keyFolder?: string | undefined
  /** Keeps users and identities for the next start. Default: in memory. */
  readonly dataFolder?: string | undefined
  /** Connection string of the resource. Default: the emulator's. */
  readonly connectionString?: string | undefined
  /** Serves tables and blobs over HTTPS, where Azurite accepts tokens of managed identities. Default: tables over HTTP. */
  readonly servesAccounts?: boolean
  /** Receives the logs of the services. */
  readonly onLog?: ((text: string) => void) | undefined
}

/** Runs the emulator in a process of its own and the services from the built artifact, to measure them or to kill them. */
export interface ProcessOptions extends CommonOptions {
  readonly emulator: 'process'
}

interface Parts<E> {
  readonly emulator: E
  readonly issuer: E extends EmulatorProcess ? SignInIssuer : undefined
  readonly azurite: Azurite
  readonly blobs: Azurite | undefined
  readonly service: TokenServiceProcessOptions
}

/** Returns the emulator's sign-in in the form of SIGN_IN_ISSUERS. */
export function trustedIssuer({ issuer }: Pick<Emulator['entra'], 'issuer'>) {
  return { issuer, audience: 'api://acs-kit', kind: 'entra', required: 'access_as_user', admin: 'admin' }
}

/** Teams Phone extensibility with the emulator's only tenant and its public application. */
export const teamsExtension = { tenantId: wellKnownTenantId, clientIds: [wellKnownPublicClientId] }

/** Services that a token service depends on: emulator, Azurite and a sign-in issuer. */
export class Backend<E extends Emulator | EmulatorProcess = Emulator> implements AsyncDisposable {
  readonly emulator: E
  /** Signs users in, if the emulator has a process of its own. */
  readonly issuer: Parts<E>['issuer']
  readonly azurite: Azurite
  /** Undefined unless it serves storage accounts. */
  readonly blobs: Azurite | undefined
  readonly #service: TokenServiceProcessOptions
  readonly #resources: AsyncDisposableStack

  private constructor({ emulator, issuer, azurite, blobs, service }: Parts<E>, resources: AsyncDisposableStack) {
    this.emulator = emulator
    this.issuer = issuer
    this.azurite = azurite
    this.blobs = blobs
    this.#service = service
    this.#resources = resources
  }

  static async start(options: ProcessOptions): Promise<Backend<EmulatorProcess>>
  static async start(options?: InProcessOptions): Promise<Backend>
  static async start(options: InProcessOptions | ProcessOptions = {}): Promise<Backend<Emulator | EmulatorProcess>> {
    await using resources = new AsyncDisposableStack()
    const parts =
      options.emulator === 'process'
        ? await startProcesses(options, resources)
        : await startInProcess(options, resources)
    return new Backend<Emulator | EmulatorProcess>(parts, resources.move())
  }

  /** Environment that every service starts with. */
  get environment(): NodeJS.ProcessEnv {
    return this.#service.env
  }

  /** Script of the services' artifact; undefined for their sources. */
  get script(): string | undefined {
    return this.#service.script
  }

  /** Starts another service, by default on a free port. It stops with the backend at the latest. */
  async startService(
    settings: NodeJS.ProcessEnv = {},
    options: Pick<TokenServiceProcessOptions, 'logFile'> = {},
  ): Promise<TokenServiceProcess> {
    const env = { ...this.environment, ...settings }
    return this.#resources.use(await TokenServiceProcess.start({ ...this.#service, ...options, env }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

async function startInProcess(options: InProcessOptions, resources: AsyncDisposableStack): Promise<Parts<Emulator>> {
  const {
    emulatorPort = 0,
    keyFolder,
    dataFolder,
    connectionString,
    servesAccounts,
    settings,
    onLog = () => {},
  } = options
  const emulator = resources.use(
    await startEmulator({
      port: emulatorPort,
      ...(keyFolder !== undefined && { keyFolder }),
      ...(dataFolder !== undefined && { dataFolder: join(dataFolder, 'emulator') }),
    }),
  )
  const tokens = servesAccounts ? { tls: emulator.tlsFiles, oauth: true } : undefined
  const starting = [
    Azurite.start({ ...(dataFolder !== undefined && { dataFolder: join(dataFolder, 'azurite') }), ...tokens }),
    tokens ? Azurite.start({ service: 'blob', ...tokens }) : Promise.resolve(undefined),
  ] as const
  // Also stops one that starts although the other does not.
  for (const server of starting)
    resources.defer(async () => (await server.catch(() => undefined))?.[Symbol.asyncDispose]())
  const [azurite, blobs] = await Promise.all(starting)
  const isAzureEmulated = connectionString === undefined
  const env = childEnvironment(
    {
      ...emulator.nodeEnvironment(),
      ACS_SDK: process.env['ACS_SDK'],
      HOST: '127.0.0.1',
      PORT: '0',
      SIGN_IN_ISSUERS: JSON.stringify([trustedIssuer(emulator.entra)]),
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString ?? emulator.connectionString,
      COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: isAzureEmulated
        ? emulator.resources[0]!.secondaryConnectionString
        : process.env['COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING'],
      IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
      ...(isAzureEmulated && {
        TEAMS_CLIENT_ID: wellKnownPublicClientId,
        TEAMS_EXTENSION: JSON.stringify(teamsExtension),
      }),
      ...settings,
    },
    { isOnline: !isAzureEmulated },
  )
  return { emulator, issuer: undefined, azurite, blobs, service: { env, clock: emulator.clock, onLog } }
}

async function startProcesses(
  { settings }: ProcessOptions,
  resources: AsyncDisposableStack,
): Promise<Parts<EmulatorProcess>> {
  const folder = resources.use(new TemporaryFolder())
  await buildArtifact(folder.join('artifact'))
  const emulator = resources.use(await EmulatorProcess.start({ keyFolder: folder.join('keys') }))
  const issuer = resources.use(await SignInIssuer.start())
  const azurite = resources.use(await Azurite.start())
  const env = {
    NODE_EXTRA_CA_CERTS: emulator.caPath,
    HOST: '127.0.0.1',
    PORT: '0',
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience }]),
    COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
    IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
    // Removes compiled code together with the artifact.
    TMPDIR: folder.path,
    ...settings,
  }
  return { emulator, issuer, azurite, blobs: undefined, service: { script: folder.join('artifact/server.js'), env } }
}
