const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/

/** A name or address of this machine, without a port. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host)
}

export function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}
