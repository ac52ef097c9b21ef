import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { readSpans, startOtlpReceiver, type OtlpExport, type OtlpSpan } from '@acs-kit/test-support/otlp-receiver'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { ServiceFixture, type FixtureOptions } from './service-fixture.ts'

interface TelemetryOptions extends Pick<FixtureOptions, 'store'> {
  readonly env?: Record<string, string | undefined>
  /** Status of the collector's responses; `never` sends none. */
  readonly collector?: number | 'never'
}

/** A service process that exports to a collector. */
export class TelemetryFixture implements AsyncDisposable {
  readonly fixture: ServiceFixture
  readonly server: ServerProcess
  readonly exports: OtlpExport[]
  readonly #resources: AsyncDisposableStack

  private constructor(
    fixture: ServiceFixture,
    server: ServerProcess,
    exports: OtlpExport[],
    resources: AsyncDisposableStack,
  ) {
    this.fixture = fixture
    this.server = server
    this.exports = exports
    this.#resources = resources
  }

  static async start({ env, collector, store }: TelemetryOptions = {}): Promise<TelemetryFixture> {
    await using resources = new AsyncDisposableStack()
    const fixture = resources.use(await ServiceFixture.start(store && { store }))
    const exports: OtlpExport[] = []
    const { url } = resources.use(await startOtlpReceiver((received) => exports.push(received), { status: collector }))
    const server = resources.use(
      await ServerProcess.start({
        script: new URL('../src/server.ts', import.meta.url).pathname,
        env: childEnvironment({
          ...fixture.env,
          HOST: '127.0.0.1',
          PORT: '0',
          NODE_EXTRA_CA_CERTS: fixture.emulator.caPath,
          OTEL_EXPORTER_OTLP_ENDPOINT: url,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
          OTEL_BSP_SCHEDULE_DELAY: '10',
          ...env,
        }),
        ready: /"address":/,
      }),
    )
    return new TelemetryFixture(fixture, server, exports, resources.move())
  }

  /** The spans received so far, in the order in which they ended. */
  get spans(): OtlpSpan[] {
    return this.exports.flatMap((received) => readSpans(received))
  }

  /** Spans of requests. */
  get requests(): OtlpSpan[] {
    return this.spans.filter(({ kind }) => kind === 'server')
  }

  /** Names of the steps below a span, each with its own steps. */
  tree(parent: OtlpSpan): Tree {
    const steps = this.spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)
    const sorted = steps.toSorted((a, b) => a.startMs - b.startMs)
    return sorted.map((step) => {
      const below = this.tree(step)
      return below.length === 0 ? step.name : [step.name, below]
    })
  }

  get address(): string {
    return /"address":"([^"]+)"/.exec(this.server.stdout)![1]!
  }

  /** Sends a request of a signed-in user over a socket. */
  async send(request: string, { token, body, headers, signal }: SendOptions = {}): Promise<Response> {
    const [method, path] = request.split(' ') as [string, string]
    return fetch(`${this.address}${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token ?? (await this.fixture.sign())}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

type Tree = (string | [step: string, below: Tree])[]

interface SendOptions {
  /** Null sends none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}
