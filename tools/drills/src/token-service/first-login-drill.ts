import { ServiceHarness } from './service-harness.ts'

const instances = 3
const concurrentLogins = 100

/** Logs one user after the other in at several instances at once. Throws unless each user gets exactly one identity. */
export async function runFirstLoginDrill({ users }: { users: number }) {
  await using harness = await ServiceHarness.start()
  const services = await Promise.all(Array.from({ length: instances }, () => harness.startInstance()))
  for (let user = 0; user < users; user++) {
    const logins = Array.from({ length: concurrentLogins }, async (_, index) => {
      const issued = await services[index % instances]!.client.token(`user ${user}`)
      return issued?.communicationUserId
    })
    const ids = new Set(await Promise.all(logins))
    if (ids.has(undefined)) throw new Error(`a login of user ${user} was rejected`)
    if (ids.size !== 1) throw new Error(`user ${user} got ${ids.size} identities`)
  }
  // Stopping the services finishes their background tasks.
  await Promise.all(services.map(({ server }) => server[Symbol.asyncDispose]()))
  const identities = await harness.emulator.identityIds()
  const mappings = await harness.mappings()
  const journal = await harness.journal()
  if (identities.length !== users) throw new Error(`${identities.length} identities for ${users} users`)
  if (mappings.size !== users) throw new Error(`${mappings.size} mappings for ${users} users`)
  if (journal.length > 0) throw new Error(`unfinished journal entries: ${JSON.stringify(journal)}`)
  harness.checkSecrets()
  return { users, logins: users * concurrentLogins, instances, orphans: identities.length - mappings.size }
}
