import { get } from './api.mjs'
import { dangerousButton } from './action.mjs'
import { linkTo } from './dom.mjs'
import { formatTime } from './format.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Connection} Connection */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** @typedef {Connection & { readonly index: number }} IndexedConnection */

/** @param {IndexedConnection} connection */
function createCloseButton({ communicationUserId }) {
  return dangerousButton('Close', {
    title: 'Close the connections of the user?',
    text: 'The client connects again, as after an outage of the network.',
    call: { method: 'DELETE', path: `chat/connections?${new URLSearchParams({ communicationUserId })}` },
    success: (/** @type {{ readonly closed: number }} */ { closed }) =>
      `Closed ${closed} ${closed === 1 ? 'connection' : 'connections'}.`,
  })
}

/** @param {Route} route @returns {View} */
export function createConnectionsView({ parameters }) {
  const list = createList({
    noun: 'connections',
    key: ({ communicationUserId, connectedAt, index }) => `${communicationUserId} ${connectedAt} ${index}`,
    columns: [
      { name: 'User', cell: ({ communicationUserId: id }) => linkTo('identities', id), isWide: true },
      { name: 'Resource', cell: ({ resource }) => resource },
      { name: 'Connected', cell: ({ connectedAt }) => formatTime(connectedAt), isLabelled: true },
      { name: 'Action', cell: createCloseButton },
    ],
    empty: 'No clients receive events of chat. They connect with startRealtimeNotifications of the chat SDK.',
    parameters,
  })
  return {
    title: 'Connections',
    content: [list.element],
    async load() {
      const connections = await get('chat/connections')
      list.show(connections.map((connection, index) => ({ ...connection, index })))
    },
  }
}
