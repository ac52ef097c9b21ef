import { wellKnownPort } from '@acs-kit/communication-emulator'
import type { Stack } from './stack.ts'

/** What to open, and lines to paste. */
export function hintsOf(stack: Stack): string {
  const { service, demoUrl, emulator } = stack
  const { port } = new URL(emulator.endpoint)
  const elsewhere = Number(port) === wellKnownPort ? '' : ` --port ${port}`
  return `
open     ${demoUrl}   the demo: sign in as anybody, watch a token live
         ${service.url}/reference   the API, to read and to try
call     curl -X POST -H "Authorization: Bearer $(pnpm --silent sign-in alice${elsewhere})" ${service.url}/v1/token
`
}
