import { wellKnownPort } from '@acs-kit/communication-emulator'

/** The ports on which everything is found; 0 takes a free one. */
export const portOptions = {
  port: { type: 'string', default: '8080' },
  'emulator-port': { type: 'string', default: String(wellKnownPort) },
  'demo-port': { type: 'string', default: '5173' },
} as const

type PortValues = Readonly<Record<keyof typeof portOptions, string>>

export function readPorts(values: PortValues) {
  return {
    service: readPort(values, 'port'),
    emulator: readPort(values, 'emulator-port'),
    demo: readPort(values, 'demo-port'),
  }
}

function readPort(values: PortValues, name: keyof PortValues): number {
  const port = Number(values[name])
  if (/^\d+$/.test(values[name]) && port <= 65_535) return port
  throw new Error(`--${name} must be a number from 0 to 65535, not ${values[name]}`)
}
