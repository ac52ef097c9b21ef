import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Connection } from './connection.ts'

/** So many connections at once, each open before the first asks for anything. Throws unless one was served, and none failed. */
export async function joinInCrowd(emulator: EmulatorProcess, { connections }: { connections: number }): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: connections }, () => Connection.openTls(emulator)))
  using stack = new DisposableStack()
  const open = opened.filter((result) => result.status === 'fulfilled').map((result) => stack.use(result.value))
  const answers = await Promise.all(
    open.map(async (connection) => {
      connection.send('GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      await connection.closed('one of many connections')
      return connection.received
    }),
  )
  const served = answers.filter((answer) => answer.startsWith('HTTP/1.1 200 '))
  const failed = answers.find((answer) => answer !== '' && !answer.startsWith('HTTP/1.1 200 '))
  if (failed !== undefined) throw new Error(`one of many connections was answered: ${failed}`)
  if (served.length === 0) throw new Error(`none of ${connections} connections was served`)
}
