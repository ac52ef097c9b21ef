/** Person who is signed in. */
export interface Person {
  readonly id: string
  readonly name: string
}

type Announcement = { readonly type: 'here' | 'question' | 'left' } & Person

/** Announces the person of this window to other windows of the browser. Reports the people of the other windows. */
export function announcePerson(self: Person, onChange: (people: readonly Person[]) => void): () => void {
  const people = new Map<string, Person>()
  const channel = new BroadcastChannel('acs-kit-demo-people')
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target origin
  const post = (type: Announcement['type']) => channel.postMessage({ type, ...self } satisfies Announcement)
  channel.addEventListener('message', ({ data }: MessageEvent<Announcement>) => {
    if (data.id === self.id) return
    if (data.type === 'left') people.delete(data.id)
    else people.set(data.id, { id: data.id, name: data.name })
    if (data.type === 'question') post('here')
    onChange([...people.values()])
  })
  const leave = () => {
    post('left')
    channel.close()
    removeEventListener('pagehide', leave)
  }
  addEventListener('pagehide', leave)
  post('question')
  return leave
}
