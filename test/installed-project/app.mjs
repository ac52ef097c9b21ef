// An app with all packages, run by the emulator's `exec`: it registers the service (server.mjs), gets a token from it (client.mjs),
// and sends a request of Azure's chat SDK to the emulator. Both modules are snippets of READMEs. It stops when its input ends.
import { existsSync } from 'node:fs'
import { tokenSource } from '@acs-kit/token-client'

const endpoint = process.env.COMMUNICATION_SERVICES_ENDPOINT
const issuer = new URL('acac0000-0000-4000-8000-000000000001/v2.0', endpoint).href
process.env.SIGN_IN_ISSUERS = JSON.stringify([
  { issuer, audience: 'api://acs-kit', kind: 'entra', required: 'access_as_user' },
])
process.env.ALLOWED_ORIGINS = 'http://localhost:*'
process.env.REFERENCE_PAGE ??= String(existsSync('node_modules/swagger-ui-dist'))
const { app } = await import('./server.mjs')
process.env.SERVICE_URL = `http://127.0.0.1:${app.server.address().port}/communication`

const response = await fetch(new URL('_emulator/entra/sign-in', endpoint), {
  method: 'POST',
  body: JSON.stringify({ user: 'alice', audience: 'api://acs-kit' }),
})
const { accessToken } = await response.json()
globalThis.signIn = { getAccessToken: async () => accessToken }
const { chat, tokens, getCallStatus } = await import('./client.mjs')
const { chatThread } = await chat.createChatThread({ topic: 'hello' })
const pages = ['', 'page/main.mjs', 'page/tsconfig.json'].map((path) => fetch(new URL(`_emulator/${path}`, endpoint)))
const signedOut = tokenSource({
  url: process.env.SERVICE_URL,
  getSignInToken: () => Promise.reject(new Error('signed out')),
})
const result = {
  url: process.env.SERVICE_URL,
  accessToken,
  topic: chatThread.topic,
  callStatus: [await getCallStatus(tokens), await getCallStatus(signedOut)].join(', '),
  reference: (await fetch(`${process.env.SERVICE_URL}/reference/swagger-ui.css`)).status,
  page: (await Promise.all(pages)).map(({ status }) => status).join(' '),
}
process.stdout.write(`\nresult: ${JSON.stringify(result)}\n`)
tokens.dispose()
process.stdin.once('end', () => app.close()).resume()
