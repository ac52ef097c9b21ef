import { wellKnownPort } from '@acs-kit/communication-emulator'
import type { RunningStack } from './stack.ts'

/** What to open, and lines to paste. */
export function hintsOf({ service, demoUrl, referenceUrl, emulator }: RunningStack): string {
  const { port } = new URL(emulator.endpoint)
  const elsewhere = Number(port) === wellKnownPort ? '' : ` --port ${port}`
  // The variables by which curl would ask a proxy for this machine.
  const isProxied = ['http_proxy', 'all_proxy', 'ALL_PROXY'].some((name) => process.env[name])
  const curl = isProxied ? "curl --noproxy '*'" : 'curl'
  const pages = [
    `${demoUrl}   the demo: sign in as anybody, watch a token live`,
    ...(referenceUrl === undefined ? [] : [`${referenceUrl}   the API, to read and to try`]),
  ]
  return `
open     ${pages.join('\n         ')}
call     ${curl} -X POST -H "Authorization: Bearer $(pnpm --silent sign-in alice${elsewhere})" ${service.url}/v1/token
`
}
