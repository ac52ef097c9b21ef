import { fastifyPlugin } from 'fastify-plugin'
import { createTableClient } from '../../connections.ts'
import { createFirstLogin, type FirstLogin } from '../../identities/first-login.ts'
import { createIdentityRemover, type IdentityRemover } from '../../identities/identity-remover.ts'
import { createIdentityStore, type IdentityStore } from '../../identities/identity-store.ts'
import { createJournal } from '../../identities/journal.ts'
import { createReaper, reaperPauseMs, type Reaper } from '../../identities/reaper.ts'
import { createTable } from '../../identities/table.ts'
import { repeatWhileListening } from '../../repeat.ts'
import type { ServiceOptions } from '../../service-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    identities: {
      readonly store: IdentityStore
      readonly firstLogin: FirstLogin
      readonly remover: IdentityRemover
      readonly reaper: Reaper
    }
  }
}

/** Maximum clock difference between two instances. */
const maxClockSkewMs = 10_000

/** Decorates the app with `identities`: the store, and the parts that create and remove identities. */
export const identities = fastifyPlugin(
  async (app, { settings, log, now, random }: ServiceOptions) => {
    const { communication, backgroundTasks } = app
    const table = createTable(await createTableClient(settings), random)
    const store = createIdentityStore(table, now)
    const journal = createJournal(table, now, backgroundTasks)
    const dropCache = (userKey: string) => app.userTokens.drop(userKey)
    const dependencies = { store, journal, communication, backgroundTasks, dropCache, log }
    const remover = createIdentityRemover(dependencies)
    const firstLogin = createFirstLogin(dependencies, remover)
    const graceMs = 2 * settings.UPSTREAM_DEADLINE_MS + reaperPauseMs + maxClockSkewMs
    const reaper = createReaper({ ...dependencies, remover, firstLogin, now, graceMs })
    app.decorate('identities', { store, firstLogin, remover, reaper })
    repeatWhileListening(app, async () => {
      await reaper.run().catch((err: unknown) => log.warn({ err }, 'reaper run failed, will retry'))
      return reaperPauseMs
    })
  },
  { name: 'identities', dependencies: ['background-tasks', 'communication'] },
)
