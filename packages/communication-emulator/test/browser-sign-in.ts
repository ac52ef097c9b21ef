/** Opens the sign-in page like a browser, submits its form, and returns the address that it redirects to. */
export async function signInAt(url: string, form: Record<string, string>): Promise<URL> {
  const page = await fetch(url)
  if (page.status !== 200) throw new Error(`the sign-in page responded with ${page.status}: ${await page.text()}`)
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  return new URL(response.headers.get('location') ?? `data:,${response.status}`)
}
