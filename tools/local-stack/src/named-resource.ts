import { once } from 'node:events'
import { connect } from 'node:net'
import { parseConnectionString } from '@acs-kit/communication-identity'
import { isLoopback } from '@acs-kit/service-settings/url'

const name = 'COMMUNICATION_SERVICES_CONNECTION_STRING'

/**
 * Returns the connection string in the environment. Ignores one of an emulator that does not run, because `communication-emulator
 * env` leaves its variables in a shell. Throws if it is malformed.
 */
export async function findNamedResource(): Promise<string | undefined> {
  const connectionString = process.env[name]
  if (!connectionString) return undefined
  const { endpoint } = parseConnectionString(connectionString, (problem) => new Error(`${name} ${problem}`))
  const { hostname, port } = new URL(endpoint)
  if (!isLoopback(hostname)) return connectionString
  // Not every resolver knows the names below localhost.
  const host = hostname.endsWith('localhost') ? 'localhost' : hostname.replace(/^\[|\]$/g, '')
  if (await isListening(host, Number(port || 443))) return connectionString
  process.stderr.write(`acs-kit: ${name} ignored: nothing listens at ${endpoint}\n`)
  return undefined
}

async function isListening(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
