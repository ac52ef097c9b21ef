import type { TokenSource } from '@acs-kit/token-client'
import type { ChatThreadItem } from '@azure/communication-chat'
import { runAction } from '../actions.ts'
import { explainError, getChatStatus } from '../explain-error.ts'
import { getNoticeKind, showNotice } from '../notice.ts'
import type { Person } from '../people.ts'
import { createChatClient } from './chat-client.ts'
import { connectControls } from './chat-controls.ts'
import { subscribe } from './chat-events.ts'
import { showChatSnippet } from './chat-snippet.ts'
import { showChat, showClosedChat, type Connection } from './chat-view.ts'
import { createOpenThread, listAll, type OpenThread } from './open-thread.ts'

export type Chat = Awaited<ReturnType<typeof openChat>>

/** Remembers the open thread when the tab reloads. */
const threadKey = 'acs-kit-demo-thread'

/** Opens the chats of a person, through Azure's client. */
export async function openChat(endpoint: string, tokens: TokenSource, self: Person) {
  let threads: readonly ChatThreadItem[] = []
  let thread: OpenThread | undefined
  let people: readonly Person[] = []
  let editing: string | undefined
  let isConnected: boolean | undefined
  let refreshing = Promise.resolve()
  let restarting: Promise<void> | undefined
  const unread = new Set<string>()
  /** Threads without the user: chat keeps them in the list. */
  const left = new Set<string>()
  const closing = new AbortController()

  const client = createChatClient(endpoint, tokens, () => {
    showNotice('chat', {
      kind: 'success',
      text: 'Chat rejected the token (401).',
      remedy: 'The client requested a new one and repeated the request.',
    })
    showChatSnippet('// 401: the token was revoked or has expired.', 'tokens.invalidate()')
    reconnect()
  })

  const chat = {
    self,
    client,
    getThread: () => thread,
    getTopic: () => threads.find(({ id }) => id === thread?.id)?.topic ?? '',
    render,
    refresh,
    update,
    reload,
    reconnect,
    /** Tells the other participants what was read. A lost notification needs no message. */
    markRead: async () => thread?.markRead().catch(() => undefined),
    getPeople: () => people,
    run: (action: () => Promise<void>) => runAction('chat', action),

    /** Opens a thread of the list, or none. */
    async open(threadId: string | undefined): Promise<void> {
      editing = undefined
      thread?.close()
      const item = threads.find(({ id }) => id === threadId)
      thread = item && createOpenThread(client.getChatThreadClient(item.id), self, render)
      sessionStorage.setItem(threadKey, item?.id ?? '')
      unread.delete(item?.id ?? '')
      await loadThread()
      render()
      await chat.markRead()
    },

    /** Closes a thread that the user left, and opens another one. */
    async leave(threadId: string): Promise<void> {
      left.add(threadId)
      unread.delete(threadId)
      await refresh()
    },

    join: (threadId: string) => left.delete(threadId),

    rename(threadId: string, topic: string): void {
      threads = threads.map((item) => (item.id === threadId ? { ...item, topic } : item))
      render()
    },

    addUnread(threadId: string): void {
      unread.add(threadId)
      render()
    },

    setEditing(id: string | undefined): void {
      editing = id
      render()
    },
    getEditing: () => editing,

    setPeople(present: readonly Person[]): void {
      people = present
      render()
    },

    close(): void {
      closing.abort()
      thread?.close()
      showClosedChat()
      // A deleted identity can't end its registration.
      client.stopRealtimeNotifications().catch(() => undefined)
    },
  }

  /** Loads the list of threads, once at a time. Opens the thread with this id, or else keeps the open one. */
  function refresh(threadId?: string): Promise<void> {
    const refreshed = refreshing.then(() => loadThreads(threadId))
    refreshing = refreshed.catch(() => undefined)
    return refreshed
  }

  async function loadThreads(threadId = thread?.id ?? sessionStorage.getItem(threadKey)): Promise<void> {
    const listed = await listAll(client.listChatThreads())
    threads = listed.filter(({ id, deletedOn }) => !deletedOn && !left.has(id))
    const item = threads.find(({ id }) => id === threadId) ?? threads[0]
    if (item?.id !== thread?.id) await chat.open(item?.id)
    render()
  }

  /** Loads the open thread, or opens another one if the user is not a participant any more. */
  async function loadThread(): Promise<void> {
    const id = thread?.id
    try {
      await thread?.load()
    } catch (error) {
      if (id === undefined || getChatStatus(error) !== 403) throw error
      left.add(id)
      await loadThreads()
    }
  }

  /** Loads the participants and messages of the open thread. */
  async function update(): Promise<void> {
    await thread?.update()
    render()
    await chat.markRead()
  }

  async function refreshAll(): Promise<void> {
    await refresh()
    await loadThread()
    render()
    await chat.markRead()
  }

  /** Loads what the client missed: it does not receive earlier events. This also renews a rejected token. */
  async function reload(): Promise<void> {
    try {
      await refreshAll()
      if (getNoticeKind('chat') === 'error') showNotice('chat', { kind: 'success', text: 'Chat is reachable again.' })
    } catch (error) {
      showFailure(error, refreshAll)
    }
  }

  async function connect(): Promise<void> {
    client.on('realTimeNotificationConnected', () => setConnected(true))
    client.on('realTimeNotificationDisconnected', () => setConnected(false))
    await client.startRealtimeNotifications()
    subscribe(chat)
  }

  /** Connects with the current token. After three rejections of the old one, Azure's client does not connect again by itself. */
  function reconnect(): void {
    if (isConnected === false) restarting ??= restart().finally(() => (restarting = undefined))
  }

  async function restart(): Promise<void> {
    try {
      await client.stopRealtimeNotifications()
      await connect()
    } catch (error) {
      showFailure(error, restart)
    }
  }

  function showFailure(error: unknown, action: () => Promise<void>): void {
    if (closing.signal.aborted) return
    showNotice('chat', { kind: 'error', ...explainError(error), retry: () => void chat.run(action) })
  }

  function setConnected(connected: boolean): void {
    isConnected = connected
    render()
    void reload()
  }

  function render(): void {
    if (closing.signal.aborted) return
    showChat({ self, connection: getConnection(), threads, unread, thread, people, editing })
  }

  function getConnection(): Connection {
    if (!navigator.onLine) return 'offline'
    if (isConnected === undefined) return 'connecting'
    return isConnected ? 'connected' : 'reconnecting'
  }

  try {
    await refresh()
    await connect()
  } catch (error) {
    chat.close()
    throw error
  }
  connectControls(chat, closing.signal)
  showChatSnippet(
    'await chat.startRealtimeNotifications()',
    "chat.on('chatMessageReceived', ({ message }) => show(message))",
  )
  return chat
}
