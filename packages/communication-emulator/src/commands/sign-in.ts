import { formatOrigin } from '../hostnames.ts'
import { bypassProxies } from '../loopback.ts'
import { openAuthority } from '../tls/key-material.ts'
import { trustInProcess } from '../tls/trust.ts'

export interface SignInFlags {
  readonly port: number
  readonly hostname?: string
  readonly adminToken?: string
  readonly keys?: string
  readonly audience: string
  readonly scope?: string[]
  readonly role?: string[]
  readonly clientId?: string
  readonly lifetime?: number
}

/** Prints a sign-in token of a running emulator. */
export async function signIn(user: string, flags: SignInFlags): Promise<void> {
  const {
    port,
    hostname,
    adminToken,
    keys,
    audience,
    scope: scopes,
    role: roles,
    clientId,
    lifetime: lifetimeMinutes,
  } = flags
  const { ca } = await openAuthority(keys, hostname)
  trustInProcess(ca)
  bypassProxies(hostname === undefined ? [] : [hostname])
  const url = `${formatOrigin(hostname ?? 'localhost', port)}/_emulator/entra/sign-in`
  const headers = adminToken ? { Authorization: `Bearer ${adminToken}` } : {}
  const body = JSON.stringify({ user, audience, scopes, roles, clientId, lifetimeMinutes })
  const response = await fetch(url, { method: 'POST', headers, body }).catch((cause: unknown) => {
    throw new Error(
      `no emulator is running on port ${port}: start one with \`communication-emulator start\`, or set its --port, --hostname and --keys`,
      { cause },
    )
  })
  const result: unknown = await response.json().catch(() => ({}))
  const { accessToken, error } = result as { accessToken?: string; error?: { message: string } }
  if (accessToken === undefined) {
    throw new Error(
      error?.message ??
        `no emulator on port ${port}: set --port to the one that \`communication-emulator start\` printed`,
    )
  }
  process.stdout.write(`${accessToken}\n`)
}
