import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Connection string of the resource that the environment names. Undefined where it names an emulator that does not run: `env`
 * of the emulator leaves its variables in a shell.
 */
export async function findNamedResource(): Promise<string | undefined> {
  const connectionString = process.env['COMMUNICATION_SERVICES_CONNECTION_STRING']
  const [, port] = /endpoint=https:\/\/(?:localhost|127\.0\.0\.1):(\d+)/i.exec(connectionString ?? '') ?? []
  if (!connectionString || port === undefined || (await isListening(Number(port)))) return connectionString || undefined
  process.stderr.write(
    `acs-kit: COMMUNICATION_SERVICES_CONNECTION_STRING ignored: nothing listens on port ${port} of this machine\n`,
  )
  return undefined
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
