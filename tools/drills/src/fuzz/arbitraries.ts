import { METHODS } from 'node:http'
import * as fc from 'fast-check'

interface RequestParts {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** Without CONNECT, which opens a tunnel and has no response; with an unknown method. */
export const methods = fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT'), 'BREW')

/** Characters that a request line may contain. */
export const visibleText = textBetween(0x21, 0x7e)
export const asciiHeader = textBetween(0x20, 0x7e).map((text) => text.trim())
export const latin1Header = textBetween(0x20, 0xff).map((text) => text.replaceAll('\x7f', '').trim())

function textBetween(min: number, max: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.integer({ min, max }).map((code) => String.fromCharCode(code)) })
}

const partNames = ['method', 'path', 'query', 'headers', 'body'] as const
const unusualNames = fc.oneof(
  { weight: 8, arbitrary: fc.subarray([...partNames], { maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constant(partNames) },
)

/** Mostly requests that are usual but for one part, since those reach furthest into a server. */
export function mostlyUsual(usual: fc.Arbitrary<RequestParts>, unusual: fc.Arbitrary<RequestParts>) {
  return fc.tuple(usual, unusual, unusualNames).map(([parts, odd, names]) => {
    const oddParts = Object.fromEntries(names.map((name) => [name, odd[name]]))
    return { ...parts, ...(oddParts as Partial<RequestParts>), isUsual: names.length === 0 }
  })
}
