import { wellKnownPort } from '@acs-kit/communication-emulator'
import type { RunningStack } from './stack.ts'

/** What to open, and lines to paste. */
export function hintsOf({ service, demoUrl, referenceUrl, emulator }: RunningStack): string {
  const { port } = new URL(emulator.endpoint)
  const elsewhere = Number(port) === wellKnownPort ? '' : ` --port ${port}`
  const pages = [
    `${demoUrl}   the demo: sign in as anybody, watch a token live`,
    ...(referenceUrl === undefined ? [] : [`${referenceUrl}   the API, to read and to try`]),
  ]
  return `
open     ${pages.join('\n         ')}
call     curl -X POST -H "Authorization: Bearer $(pnpm --silent sign-in alice${elsewhere})" ${service.url}/v1/token
`
}
