import { wellKnownPort } from '@acs-kit/communication-emulator'
import type { LocalStack } from './local-stack.ts'
import { defaultPorts } from './options.ts'

/** Returns the addresses to open and the commands to paste while a stack runs. */
export function formatUsage({ emulator, service, demo, resources }: LocalStack, keyFolder?: string): string {
  const signIn = formatScript('sign-in', ['alice'], {
    port: portUnless(wellKnownPort, emulator.endpoint),
    keys: keyFolder && `'${keyFolder}'`,
  })
  // With one of these variables set, curl would use a proxy even for this machine.
  const isProxied = ['http_proxy', 'all_proxy', 'ALL_PROXY'].some((name) => process.env[name])
  const curl = isProxied ? "curl --noproxy '*'" : 'curl'
  const pages = [
    ...(demo
      ? [
          `${demo.url}   the demo: sign in under two names, and chat`,
          `${demo.url}_emulator/   the page of the emulator: requests, identities, chats, clock and faults`,
        ]
      : []),
    // A deployed package does not serve it.
    ...(resources ? [] : [`${service.url}/reference   the API reference`]),
  ]
  return [
    `open     ${pages.join('\n         ')}`,
    `call     ${curl} -X POST -H "Authorization: Bearer $(${signIn})" ${service.url}/v1/token`,
    ...(demo
      ? [`outputs  ${formatScript('outputs', [], { 'demo-port': portUnless(defaultPorts.demo, demo.url) })}`]
      : []),
  ].join('\n')
}

/** Returns a command that runs a script of the root with npm, which comes with every Node. */
function formatScript(
  name: string,
  args: readonly string[],
  options: Readonly<Record<string, string | undefined>>,
): string {
  const given = Object.entries(options).flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option} ${value}`],
  )
  return ['npm run --silent', name, ...(given.length > 0 ? ['--'] : []), ...args, ...given].join(' ')
}

function portUnless(wellKnown: number, url: string): string | undefined {
  const { port } = new URL(url)
  return Number(port) === wellKnown ? undefined : port
}
