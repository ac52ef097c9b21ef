import { createServer } from 'node:http'
import type { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'

declare global {
  var common: { AzureCommunicationTokenCredential: typeof AzureCommunicationTokenCredential }
}

const fixture = useEmulator()

it.runIf(hasBrowser)('lets a page of another origin exchange tokens of the Teams extension by itself', async () => {
  const { emulator } = fixture
  const { outputFiles } = await build({
    stdin: { contents: "export * from '@azure/communication-common'", resolveDir: import.meta.dirname },
    bundle: true,
    format: 'iife',
    globalName: 'common',
    write: false,
  })
  const page = `<!doctype html><script>${outputFiles[0]!.text.replaceAll('</script', String.raw`<\/script`)}</script>`
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(page))
  await using local = await listenLocally(server)
  const audience = 'https://auth.msft.communication.azure.com'
  const { accessToken, oid } = await emulator.entra.signIn({ user: 'alice', audience })
  await fixture.call({
    method: 'PUT',
    target: `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments/${oid}?api-version=2025-06-30`,
    body: { principalType: 'user', clientIds: [wellKnownPublicClientId] },
  })

  await using browser = await launchBrowser()
  // The certificate authority of the emulator is not among the trusted roots.
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  await tab.goto(`http://127.0.0.1:${local.port}/`)
  const token = await tab.evaluate(
    async ({ resourceEndpoint, entraToken }) => {
      const tokenCredential = {
        getToken: async () => ({ token: entraToken, expiresOnTimestamp: Date.now() + 60_000 }),
      }
      const scopes = ['https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls']
      const options = { resourceEndpoint, tokenCredential, scopes }
      return (await new common.AzureCommunicationTokenCredential(options).getToken()).token
    },
    { resourceEndpoint: emulator.endpoint, entraToken: accessToken },
  )
  expect(emulator.introspect(token)).toMatchObject({ state: 'valid', scopes: ['voip'] })
})
