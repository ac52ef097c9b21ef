import type { EmulatorProcess } from './emulator-process.ts'

/** The ids of all identities of an emulator, oldest first. */
export async function identityIds({ client }: EmulatorProcess): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const after = ids.at(-1)
    const { text } = await client.get(`/_emulator/identities${after === undefined ? '' : `?after=${after}`}`)
    const page = JSON.parse(text) as { communicationUserId: string }[]
    if (page.length === 0) return ids
    ids.push(...page.map(({ communicationUserId }) => communicationUserId))
  }
}
