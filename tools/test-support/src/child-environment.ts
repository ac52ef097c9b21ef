/** Variables that every program needs. All others may be meant for other programs. */
const basics =
  'PATH HOME USER LOGNAME LANG LC_ALL TZ TMPDIR XDG_CACHE_HOME XDG_DATA_HOME ' +
  'NODE_COMPILE_CACHE APPDATA COMSPEC LOCALAPPDATA PATHEXT SYSTEMDRIVE SYSTEMROOT TEMP TMP USERPROFILE'
const proxies = 'HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy'
const certificates = 'NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA SSL_CERT_DIR SSL_CERT_FILE'

/**
 * Returns the environment of a child process: what every program needs, and `chosen`. Network settings are inherited only if
 * `isOnline`, for programs that call other machines.
 */
export function childEnvironment(chosen: NodeJS.ProcessEnv = {}, { isOnline = false } = {}): NodeJS.ProcessEnv {
  const names = isOnline ? `${basics} ${proxies} NODE_USE_ENV_PROXY ${certificates}` : basics
  const inherited = names.split(' ').filter((name) => process.env[name] !== undefined)
  return { ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])), ...chosen }
}

/** Removes the proxies from this process's environment, for programs that only call this machine. */
export function dropProxies(): void {
  for (const name of proxies.split(' ')) delete process.env[name]
}
