import { expect, it } from 'vitest'
import { toStackState } from '../stack/stack-state.ts'

it('lists each resource once, without those that the stack only reads', () => {
  const resource = {
    type: 'azure-native:web:WebApp',
    id: '/subscriptions/s/sites/a',
    outputs: { azureApiVersion: 'v' },
  }
  const other = { ...resource, id: '/subscriptions/s/sites/b', external: true }
  const replaced = { ...resource, id: '/subscriptions/S/sites/A', delete: true }
  const component = { type: 'acs-kit:web:TokenServiceSite' }
  const { resources } = toStackState({ deployment: { resources: [component, resource, replaced, other] } })
  expect(resources).toMatchObject([{ type: 'WebApp', apiVersion: 'v' }])
})
