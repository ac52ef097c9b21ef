import { get } from './api.mjs'
import { closeButtons, dangerousButton, openDialog } from './action.mjs'
import { copyable, element } from './dom.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Resource} Resource */
/** @typedef {import('./api.mjs').ManagedResource} ManagedResource */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** @param {Resource} resource */
function createKeyButtons({ name }) {
  const buttons = ['primary', 'secondary'].map((keyType) =>
    dangerousButton(`Regenerate ${keyType}`, {
      title: `Regenerate the ${keyType} key of ${name}?`,
      text: 'The emulator rejects the old key from now on, and revokes the tokens that were issued with it.',
      call: {
        method: 'POST',
        path: `resources/${encodeURIComponent(name)}/regenerateKey`,
        body: { keyType },
      },
      success: (/** @type {{ readonly key: string }} */ { key }) => {
        void showKey(`New ${keyType} key of ${name}`, key)
        return `Regenerated the ${keyType} key of ${name}.`
      },
    }),
  )
  return element('div', { class: 'buttons' }, ...buttons)
}

/** @param {string} title @param {string} key */
function showKey(title, key) {
  return openDialog(title, copyable(key, 'the key'), closeButtons())
}

/** @param {string | undefined} endpoint */
function linkToEndpoint(endpoint) {
  return endpoint && element('a', { href: endpoint }, endpoint)
}

/** Shows an id below its subscription, which is the same for most. @param {ManagedResource} resource */
function createName({ id, name }) {
  return element('span', { title: id }, name)
}

/** @param {ManagedResource} resource */
function getGroup({ id }) {
  return /\/resourceGroups\/([^/]+)\/./i.exec(id)?.[1]
}

/** @param {Route} route @returns {View} */
export function createResourcesView({ parameters }) {
  const resources = createList({
    noun: 'communication services',
    key: ({ name }) => name,
    columns: [
      { name: 'Name', cell: ({ name }) => element('strong', {}, name) },
      { name: 'Endpoint', cell: ({ endpoint }) => copyable(endpoint, `the endpoint of ${endpoint}`), isWide: true },
      { name: 'Immutable id', cell: ({ immutableResourceId: id }) => element('code', {}, id), isLabelled: true },
      { name: 'Access keys', cell: createKeyButtons },
    ],
    empty: 'No resources.',
  })
  const managed = createList({
    noun: 'managed resources',
    key: ({ id }) => id,
    columns: [
      { name: 'Name', cell: createName },
      { name: 'Type', cell: ({ type }) => type, isWide: true },
      { name: 'Group', cell: getGroup, isLabelled: true },
      { name: 'Location', cell: ({ location }) => location, isLabelled: true },
      { name: 'Endpoint', cell: ({ endpoint }) => linkToEndpoint(endpoint) },
    ],
    empty:
      'No managed resources. Resources that your Pulumi program or Azure Resource Manager client creates appear here.',
    parameters,
  })
  return {
    title: 'Resources',
    content: [
      element('h2', {}, 'Communication services'),
      resources.element,
      element('h2', {}, 'Managed resources'),
      managed.element,
    ],
    async load() {
      resources.show(await get('resources'))
      managed.show(await get('managedResources'))
    },
  }
}
