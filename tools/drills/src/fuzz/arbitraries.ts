import { METHODS } from 'node:http'
import * as fc from 'fast-check'

interface RequestParts<Body> {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
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

/** Mostly requests that are usual but for one part, since those reach furthest into a server. */
export function mostlyUsual<Body>(
  usual: fc.Arbitrary<RequestParts<Body>>,
  unusual: fc.Arbitrary<RequestParts<Body>>,
): fc.Arbitrary<RequestParts<Body> & { readonly isUsual: boolean }> {
  const part = fc.constantFrom('method', 'path', 'query', 'headers', 'body')
  return fc.oneof(
    { weight: 4, arbitrary: usual.map((parts) => ({ ...parts, isUsual: true })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(usual, unusual, part)
        .map(([parts, odd, name]) => ({ ...parts, [name]: odd[name as 'body'], isUsual: false })),
    },
    { weight: 1, arbitrary: unusual.map((parts) => ({ ...parts, isUsual: false })) },
  )
}
