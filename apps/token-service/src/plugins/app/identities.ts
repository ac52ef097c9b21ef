import { fastifyPlugin } from 'fastify-plugin'
import { createTableClient } from '../../connections.ts'
import { FirstLogin } from '../../identities/first-login.ts'
import { IdentityRemover } from '../../identities/identity-remover.ts'
import { IdentityStore } from '../../identities/identity-store.ts'
import { Journal } from '../../identities/journal.ts'
import { Reaper, reaperPauseMs } from '../../identities/reaper.ts'
import { Table } from '../../identities/table.ts'
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

/** Decorates the app with `identities`: which user has which, and everything that creates and removes them. */
export const identities = fastifyPlugin(
  async (app, { settings, log, now, random }: ServiceOptions) => {
    const { communication, backgroundTasks } = app
    const table = new Table(await createTableClient(settings), random)
    const store = new IdentityStore(table, now)
    const journal = new Journal(table, now, backgroundTasks)
    const dropCache = (userKey: string) => app.userTokens.drop(userKey)
    const dependencies = { store, journal, communication, backgroundTasks, dropCache, log }
    const remover = new IdentityRemover(dependencies)
    const firstLogin = new FirstLogin({ ...dependencies, remover })
    const graceMs = 2 * settings.UPSTREAM_DEADLINE_MS + reaperPauseMs + maxClockSkewMs
    const reaper = new Reaper({ ...dependencies, remover, firstLogin, now, graceMs })
    app.decorate('identities', { store, firstLogin, remover, reaper })
    repeatWhileListening(app, async () => {
      await reaper.run().catch((err: unknown) => log.warn({ err }, 'reaper run failed, will retry'))
      return reaperPauseMs
    })
  },
  { name: 'identities', dependencies: ['background-tasks', 'communication'] },
)
