import { createServer } from 'node:http'
import { join } from 'node:path'
import type { AzureCommunicationTokenCredential } from '@azure/communication-common'
import type { InteractiveBrowserCredential } from '@azure/identity'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'

declare global {
  var azure: {
    AzureCommunicationTokenCredential: typeof AzureCommunicationTokenCredential
    InteractiveBrowserCredential: typeof InteractiveBrowserCredential
  }
}

const fixture = useEmulator()

it.runIf(hasBrowser)(
  'lets a page of another origin sign users in and exchange their tokens by itself, with unmodified credentials',
  async () => {
    const { emulator } = fixture
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, 'programs/entra-page.mjs')],
      bundle: true,
      format: 'iife',
      globalName: 'azure',
      write: false,
    })
    const page = `<!doctype html><script>${outputFiles[0]!.text.replaceAll('</script', String.raw`<\/script`)}</script>`
    const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(page))
    await using local = await listenLocally(server)
    const origin = `http://127.0.0.1:${local.port}`
    const { oid } = await emulator.entra.signIn({ user: 'alice' })
    await fixture.call({
      method: 'PUT',
      target: `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments/${oid}?api-version=2025-06-30`,
      body: { principalType: 'user', clientIds: [wellKnownPublicClientId] },
    })

    await using browser = await launchBrowser()
    // The certificate authority of the emulator is not among the trusted roots.
    const tab = await browser.newPage({ ignoreHTTPSErrors: true })
    await tab.goto(origin)
    const popup = tab.waitForEvent('popup')
    const received = tab.evaluate(
      async ({ resourceEndpoint, tenantId, clientId, redirectUri }) => {
        const { AzureCommunicationTokenCredential, InteractiveBrowserCredential } = globalThis.azure
        const tokenCredential = new InteractiveBrowserCredential({
          tenantId,
          clientId,
          authorityHost: resourceEndpoint,
          disableInstanceDiscovery: true,
          redirectUri,
        })
        const scopes = ['https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls']
        const options = { resourceEndpoint, tokenCredential, scopes }
        return (await new AzureCommunicationTokenCredential(options).getToken()).token
      },
      {
        resourceEndpoint: emulator.endpoint.slice(0, -1),
        tenantId: wellKnownTenantId,
        clientId: wellKnownPublicClientId,
        redirectUri: `${origin}/signed-in`,
      },
    )
    const signIn = await popup
    await signIn.getByRole('button', { name: 'alice' }).click()
    const token = await received
    expect(emulator.introspect(token)).toMatchObject({ state: 'valid', scopes: ['voip'] })
  },
)
