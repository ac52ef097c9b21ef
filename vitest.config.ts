import { basename, join } from 'node:path'
import { defineConfig } from 'vitest/config'

const testSupport = join(import.meta.dirname, 'tools/test-support/src')

/** Azurite, for rooms that keep something. */
const store = [join(testSupport, 'store.ts')]

/** A room is a folder with tests of its own; `pnpm test` in it runs them. */
function room(
  root: string,
  { name = basename(root), globalSetup = [] as string[], setupFiles = [] as string[], env = {} } = {},
) {
  return {
    test: {
      name,
      root: join(import.meta.dirname, root),
      include: ['test/**/*.test.ts'],
      setupFiles: [join(testSupport, 'console-guard.ts'), ...setupFiles],
      globalSetup: [join(testSupport, 'data-folder.ts'), ...globalSetup],
      testTimeout: 60_000,
      // The default of a second is too short for a busy machine.
      expect: { poll: { timeout: 30_000 } },
      env,
    },
  }
}

export default defineConfig({
  test: {
    projects: [
      room('packages/communication-emulator'),
      room('packages/communication-identity'),
      room('packages/token-contract'),
      room('packages/token-client'),
      room('packages/service-settings'),
      room('apps/token-service', { globalSetup: store }),
      room('apps/token-service', {
        name: 'token-service-administration',
        globalSetup: store,
        env: { COMMUNICATION_TEST_SDK: 'administration' },
      }),
      room('apps/quickstart'),
      room('infra'),
      room('tools/local-stack'),
      room('tools/bench'),
      room('tools/drills', { setupFiles: [join(testSupport, 'without-proxies.ts')] }),
      room('.', { name: 'root' }),
    ],
  },
})
