import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { RawResponse } from '../raw-request.ts'

/** Files of the page: browsers run them as they are, from the sources and from the published package. */
const folder = new URL('../../page/', import.meta.url)

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** Returns the page, which sends the administration token with its requests, and asks for it if it is empty. */
export function getPage(token: string): RawResponse {
  return {
    status: 200,
    headers: {
      'Content-Security-Policy': contentSecurityPolicy,
      'Cross-Origin-Opener-Policy': 'same-origin',
    },
    html: read('index.html').replace('{{token}}', token),
  }
}

/** Returns a file of the page; undefined for any other name. */
export function getPageFile(name: string): RawResponse | undefined {
  const mediaType = mediaTypes[extname(name)]
  if (mediaType === undefined || !readdirSync(folder).includes(name)) return undefined
  return { status: 200, headers: { 'Content-Type': `${mediaType}; charset=utf-8` }, text: read(name) }
}

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8')
}
