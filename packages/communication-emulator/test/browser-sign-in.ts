/** What a browser does at the sign-in page: opens it, fills in the form, and follows the redirect to its address. */
export async function signInAt(url: string, form: Record<string, string>): Promise<URL> {
  const page = await fetch(url)
  if (page.status !== 200) throw new Error(`the page answered ${page.status}: ${await page.text()}`)
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  return new URL(answer.headers.get('location') ?? `data:,${answer.status}`)
}
