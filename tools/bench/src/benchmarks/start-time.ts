// Prints how many milliseconds a server takes to start in this process, after all imports.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { startEmulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'

const [kind, keyFolder = ''] = process.argv.slice(2)
const start = performance.now()
if (kind === 'emulator') await startEmulator({ trust: true, keyFolder })
else {
  const server = createServer({
    cert: readFileSync(join(keyFolder, 'server/server.pem')),
    key: readFileSync(join(keyFolder, 'server/server-key.pem')),
  })
  await listenLocally(server)
}
process.stdout.write(String(performance.now() - start))
process.exit()
