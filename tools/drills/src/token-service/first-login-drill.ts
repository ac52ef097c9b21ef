import { DrillStage } from './drill-stage.ts'

const instances = 3
const callersAtOnce = 100

/** One person's first logins at several instances at once, again and again with another person. Throws unless each has one identity. */
export async function drillFirstLogins({ persons }: { persons: number }) {
  await using stage = await DrillStage.start()
  const services = await Promise.all(Array.from({ length: instances }, () => stage.startInstance()))
  for (let person = 0; person < persons; person++) {
    const logins = Array.from({ length: callersAtOnce }, async (_, caller) => {
      const issued = await services[caller % instances]!.client.token(`person ${person}`)
      return issued?.communicationUserId
    })
    const ids = new Set(await Promise.all(logins))
    if (ids.size !== 1 || ids.has(undefined)) throw new Error(`person ${person} got ${ids.size} identities`)
  }
  // A stop finishes what runs in the background.
  await Promise.all(services.map(({ server }) => server[Symbol.asyncDispose]()))
  const identities = await stage.stack.emulator.identityIds()
  const mappings = await stage.mappings()
  const journal = await stage.journal()
  if (identities.length !== persons) throw new Error(`${identities.length} identities for ${persons} persons`)
  if (mappings.size !== persons) throw new Error(`${mappings.size} mappings for ${persons} persons`)
  if (journal.length > 0) throw new Error(`the journal still has ${JSON.stringify(journal)}`)
  stage.checkSecrets()
  return { persons, logins: persons * callersAtOnce, instances, orphans: identities.length - mappings.size }
}
