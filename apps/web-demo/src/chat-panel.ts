import type { ServiceTokenSource } from '@acs-kit/token-client'
import { onClick, runAction } from './actions.ts'
import type { Chat } from './chat/chat.ts'
import { getElement } from './element.ts'
import { announcePerson, type Person } from './people.ts'

/** Remembers that the chat is open when the tab reloads. */
const openKey = 'acs-kit-demo-chat'

/** Connects the chat's card: it opens on request, and closes when the identity changes. */
export function createChatPanel(name: string) {
  const tokens = Promise.withResolvers<ServiceTokenSource>()
  let self: Person | undefined
  let people: readonly Person[] = []
  let chat: Chat | undefined
  let stopAnnouncing: (() => void) | undefined

  onClick('chat', getElement('open-chat'), async () => {
    await open()
    // The button has disappeared.
    getElement(chat?.getThread() ? 'message' : 'new-chat').focus()
  })

  async function open(): Promise<void> {
    // Azure's SDK is large, so it is only loaded here.
    const [{ openChat }, source] = await Promise.all([import('./chat/chat.ts'), tokens.promise])
    const { communicationUserId, endpoint } = await source.getToken()
    setIdentity(communicationUserId)
    chat = await openChat(endpoint, source, self!)
    chat.setPeople(people)
    sessionStorage.setItem(openKey, 'true')
  }

  function setIdentity(id: string | undefined): void {
    if (id === self?.id) return chat?.reconnect()
    stopAnnouncing?.()
    chat?.close()
    chat = undefined
    self = id === undefined ? undefined : { id, name }
    stopAnnouncing = self && announcePerson(self, setPeople)
    if (!self) sessionStorage.removeItem(openKey)
  }

  function setPeople(present: readonly Person[]): void {
    people = present
    chat?.setPeople(present)
  }

  return {
    /** Sets the identity of the current token, or none when the user signs out or deletes it. */
    setIdentity,
    /** Sets the source of the tokens. Opens the chat if it was open before the tab was reloaded. */
    async setTokens(source: ServiceTokenSource): Promise<void> {
      tokens.resolve(source)
      if (sessionStorage.getItem(openKey) !== null) await runAction('chat', open)
    },
  }
}
