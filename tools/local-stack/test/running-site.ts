import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Emulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { getAppSettings, toSiteEnvironment } from '../src/app-service.ts'
import { TokenServiceProcess } from '../src/token-service-process.ts'
import { forward } from './forward.ts'

const checkIntervalMs = 20

export type RunningSite = Awaited<ReturnType<typeof runSite>>

interface Instance {
  readonly settings: string
  readonly service: TokenServiceProcess
  openRequests: number
}

/**
 * Stands in for App Service: runs the token service with the settings of the provisioned site. When they change, it starts
 * another instance, directs requests to it once it listens, and stops the former one after its last response.
 */
export async function runSite(emulator: Emulator) {
  const stopping = new AbortController()
  let current = await startInstance(emulator)
  const retired: Promise<void>[] = []
  const server = createServer((incoming, outgoing) => {
    const instance = current
    instance.openRequests++
    outgoing.once('close', () => instance.openRequests--)
    forward(instance.service.url, incoming, outgoing)
  })
  const front = await listenLocally(server)
  const following = follow()

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (readSettings(emulator) !== current.settings) {
        const former = current
        current = await startInstance(emulator)
        retired.push(retire(former))
      }
      await sleep(checkIntervalMs)
    }
  }

  return {
    url: `http://127.0.0.1:${front.port}`,
    /** Resolves when the current instance has the current settings, and has stopped the former ones. */
    async settle(): Promise<void> {
      while (readSettings(emulator) !== current.settings) await sleep(checkIntervalMs)
      await Promise.all(retired)
    },
    async [Symbol.asyncDispose](): Promise<void> {
      stopping.abort()
      await following
      await Promise.all([...retired, current.service[Symbol.asyncDispose]()])
      await front[Symbol.asyncDispose]()
    },
  }
}

async function retire(instance: Instance): Promise<void> {
  while (instance.openRequests > 0) await sleep(checkIntervalMs)
  await instance.service[Symbol.asyncDispose]()
}

async function startInstance(emulator: Emulator): Promise<Instance> {
  const settings = readSettings(emulator)
  const env = { ...toSiteEnvironment(emulator, JSON.parse(settings) as Record<string, string>), PORT: '0' }
  return { settings, service: await TokenServiceProcess.start({ env, clock: emulator.clock }), openRequests: 0 }
}

function readSettings(emulator: Emulator): string {
  return JSON.stringify(getAppSettings(emulator))
}
