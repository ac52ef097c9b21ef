import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { Random } from '@acs-kit/test-support/random'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { killRepeatedly } from '../crash/kill-repeatedly.ts'
import { auditChat } from './crash-audit.ts'
import { ChatLedger, type Client } from './crash-ledger.ts'
import { runChatWorkload } from './crash-workload.ts'

const clients = 6

/**
 * Kills an emulator that keeps chat in a folder, under load. Throws if anything that the emulator has acknowledged is lost after a
 * restart, or if a change is half done or repeated. Returns the number of kills and of what they could have lost.
 */
export async function runChatCrashDrill({ kills, seed }: { kills: number; seed: number }) {
  using folder = new TemporaryFolder()
  const random = new Random(seed)
  let ledger: ChatLedger | undefined
  await killRepeatedly({
    emulator: { keyFolder: folder.join('keys'), dataFolder: folder.join('data') },
    kills,
    random,
    async audit(emulator) {
      if (ledger) ledger.moveTo(emulator)
      else ledger = new ChatLedger(await createClients(emulator))
      await auditChat(ledger)
    },
    async load(_emulator, onResponse) {
      const run = (client: Client) => runChatWorkload(ledger!, client, new Random(random.below(2 ** 31)), onResponse)
      await Promise.all(ledger!.clients.map(run))
    },
  })
  return toReport(ledger!, kills)
}

async function createClients(emulator: EmulatorProcess): Promise<Client[]> {
  const created: Client[] = []
  while (created.length < clients) {
    created.push({ user: await ChatUser.create(emulator), guest: await ChatUser.create(emulator) })
  }
  return created
}

function toReport({ threads, changes }: ChatLedger, kills: number) {
  const messages = threads.flatMap((thread) => thread.messages)
  return {
    kills,
    changes,
    threads: threads.length,
    deletedThreads: threads.filter(({ state }) => state === 'deleted').length,
    messages: messages.length,
    deletedMessages: messages.filter(({ possible }) => possible[0] === undefined).length,
  }
}
