import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const folder = join(import.meta.dirname, '../page')

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${fixture.emulator.endpoint}_emulator/${path}`, { headers, redirect: 'manual' })
}

it('serves the page with its token, and forbids scripts and frames of others', async () => {
  const response = await get('')
  expect(await response.text()).toContain(`content="${fixture.emulator.administrationToken}"`)
  const headers = Object.fromEntries(response.headers)
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  })
  const policy = headers['content-security-policy']!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
})

it('serves the files of the page, and no others', async () => {
  for (const [name, type] of [
    ['main.mjs', 'text/javascript'],
    ['style.css', 'text/css'],
    ['icon.svg', 'image/svg+xml'],
  ] as const) {
    const response = await get(`page/${name}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  }
  for (const name of ['tsconfig.json', 'index.html', 'missing.mjs', '..%2Fsrc%2Fbin.mjs', '%2e%2e/src/bin.mjs', ''])
    expect((await get(`page/${name}`)).status, name).toBe(404)
})

it('redirects an address without the last slash', async () => {
  const response = await fetch(`${fixture.emulator.endpoint}_emulator`, { redirect: 'manual' })
  expect([response.status, response.headers.get('location')]).toEqual([308, '/_emulator/'])
})

it('opens from a link of another site, but not in a frame or as a resource of that site', async () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect((await get('', link)).status).toBe(200)
  expect((await get('', { ...link, 'sec-fetch-dest': 'iframe' })).status).toBe(403)
  for (const path of ['', 'page/main.mjs'])
    expect((await get(path, { ...link, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' })).status).toBe(403)
})

it('hides its token from other origins of this machine', async () => {
  const response = await get('', { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:5173' })
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

it('has at most 150 kB', () => {
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(150_000)
})
