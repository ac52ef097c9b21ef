import { expect, it } from 'vitest'
import { formatError } from '../src/run-program.ts'

const folderOptions = ['--data', '--keys', 'HOME']
const ports = '--port, --emulator-port or --demo-port'

it.each([
  ['listen EADDRINUSE: address already in use 127.0.0.1:8080', 'port 8080 is in use: '],
  ['Port 5173 is already in use', 'port 5173 is in use: '],
  ['server.js did not start: listen EACCES: permission denied 127.0.0.1:80', `choose one above 1023 with ${ports}`],
  [
    'ENOSPC: no space left on device, write',
    'free some disk space, or choose other folders with --data, --keys, HOME or TMPDIR',
  ],
  ['main.js did not start: ENOSPC: no space left on device', 'free some disk space'],
])('names the remedy for %s', (message, remedy) => {
  expect(formatError(new Error(message), folderOptions)).toContain(remedy)
})

it.each(['EACCES', 'EPERM', 'EROFS'])('names the remedy for a folder that cannot be written: %s', (code) => {
  const error = Object.assign(new Error(`${code}: mkdir '/tmp/x'`), { code, syscall: 'mkdir' })
  expect(formatError(error, ['--keys', 'HOME'])).toBe(
    `${code}: mkdir '/tmp/x': choose writable folders with --keys, HOME or TMPDIR`,
  )
})

it('does not change the message of any other error', () => {
  expect(formatError(new Error('interrupted'))).toBe('interrupted')
})
