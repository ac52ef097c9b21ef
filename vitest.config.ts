import { basename, join } from 'node:path'
import { defineConfig } from 'vitest/config'

const testSupport = join(import.meta.dirname, 'tools/test-support/src')

/** Starts Azurite, for projects with a store. */
const store = [join(testSupport, 'store.ts')]

/** Tests of the service that the SDK cannot affect: they end before it, both drivers share the code, or they set `ACS_SDK`. */
const independentOfSdk = [
  'artifact.package',
  'browsers',
  'claims',
  'compile-cache.package',
  'documents',
  'embedding',
  'issuer-keys',
  'limits',
  'metrics-export',
  'sign-in',
  'sockets',
  'teams-assignments',
  'telemetry',
].map((name) => `test/${name}.test.ts`)

/** A project is a package with tests; `pnpm test` in its folder runs them. */
function project(
  root: string,
  {
    name = basename(root),
    globalSetup = [] as string[],
    setupFiles = [] as string[],
    exclude = [] as string[],
    env = {},
    isolate = false,
  } = {},
) {
  return {
    test: {
      name,
      root: join(import.meta.dirname, root),
      include: ['test/**/*.test.ts'],
      exclude,
      setupFiles: [join(testSupport, 'restore-environment.ts'), join(testSupport, 'console-guard.ts'), ...setupFiles],
      globalSetup: [join(testSupport, 'folders.ts'), ...globalSetup],
      // An engine test may run several `up`s, which take more than the defaults of 5 and 10 seconds, also in hooks.
      testTimeout: 240_000,
      hookTimeout: 240_000,
      // The default of a second is too short for a busy machine.
      expect: { poll: { timeout: 60_000 } },
      env,
      // Without isolation, files that run in the same process share the modules that they import.
      isolate,
    },
  }
}

export default defineConfig({
  test: {
    // The default leaves a core to watchers. Tests also wait for other processes.
    maxWorkers: '100%',
    projects: [
      project('packages/communication-emulator'),
      project('packages/communication-identity'),
      project('packages/token-contract'),
      project('packages/token-client'),
      project('packages/service-settings'),
      project('apps/token-service', { globalSetup: store }),
      project('apps/token-service', {
        name: 'token-service-administration',
        globalSetup: store,
        exclude: independentOfSdk,
        env: { COMMUNICATION_TEST_SDK: 'administration' },
      }),
      project('apps/quickstart'),
      project('infra'),
      project('tools/local-stack', { isolate: true }),
      project('tools/bench'),
      project('tools/drills', { setupFiles: [join(testSupport, 'without-proxies.ts')], isolate: true }),
      project('.', { name: 'root', isolate: true }),
    ],
  },
})
