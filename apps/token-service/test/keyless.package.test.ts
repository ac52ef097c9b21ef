import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { expect, it } from 'vitest'
import { buildArtifact } from '../build.ts'
import { ServiceFixture } from './service-fixture.ts'

const guid = '00000000-0000-0000-0000-000000000000'

it('needs no access key with a managed identity (unmodified DefaultAzureCredential)', async () => {
  using folder = new TemporaryFolder()
  await buildArtifact(folder.join('package'))
  await using fixture = await ServiceFixture.start()
  const { entra, endpoint, caPath } = fixture.emulator
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...env } = fixture.env
  await using server = await ServerProcess.start({
    script: folder.join('package/server.js'),
    env: {
      ...env,
      TEAMS_EXTENSION: JSON.stringify({ tenantId: guid, clientIds: [guid] }),
      HOST: '127.0.0.1',
      PORT: '0',
      COMMUNICATION_SERVICES_ENDPOINT: endpoint,
      IDENTITY_ENDPOINT: entra.managedIdentity.endpoint,
      IDENTITY_HEADER: entra.managedIdentity.header,
      NODE_EXTRA_CA_CERTS: caPath,
      TMPDIR: folder.path,
    },
    ready: /"address"/,
  })
  const address = /"address":"([^"]+)"/.exec(server.stdout)![1]!
  await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200)
  const headers = { authorization: `Bearer ${await fixture.issuer.sign({ roles: ['admin'] })}` }
  const response = await fetch(`${address}/v1/token`, { method: 'POST', headers })
  expect(response.status).toBe(200)
  const { token } = (await response.json()) as { token: string }
  expect((await fetch(`${address}/v1/teams/assignments/${guid}`, { method: 'PUT', headers })).status).toBe(200)
  fixture.emulator.resources[0]!.regenerateKey('primary')
  expect(fixture.emulator.introspect(token).state).toBe('valid')
})
