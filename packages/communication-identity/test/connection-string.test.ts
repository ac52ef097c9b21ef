import { expect, it } from 'vitest'
import { createCommunicationIdentities, parseConnectionString, parseSdkName } from '../src/index.ts'

const key = Buffer.alloc(64, 0x5a).toString('base64')
const endpoint = 'https://contoso.communication.azure.com'

it.each([
  `endpoint=${endpoint}/;accesskey=${key}`,
  `endpoint=${endpoint};accesskey=${key}`,
  `Endpoint=${endpoint}/;AccessKey=${key}`,
  `accesskey=${key};endpoint=${endpoint}/`,
  ` endpoint = ${endpoint}/ ; accesskey = ${key} ;\n`,
  `ENDPOINT=HTTPS://contoso.communication.azure.com;ACCESSKEY=${key};;`,
  `"endpoint=${endpoint}/;accesskey=${key}"`,
  `'endpoint=${endpoint}/;accesskey=${key};' `,
  `\u201cendpoint=${endpoint}/;accesskey=${key}\u201d`,
  `endpoint="${endpoint}/";accesskey="${key}"`,
  `endpoint=${endpoint}/;\r\n  accesskey=${key.slice(0, 40)}\n${key.slice(40)}\n`,
  `\uFEFFendpoint=${endpoint}/;accesskey=${key}`,
  `  "primaryConnectionString": "endpoint=${endpoint}/;accesskey=${key}",\n`,
  `export COMMUNICATION_SERVICES_CONNECTION_STRING="endpoint=${endpoint}/;accesskey=${key}"`,
  `COMMUNICATION_SERVICES_CONNECTION_STRING=accesskey=${key};endpoint=${endpoint}`,
])('reads %j', (text) => {
  expect(parseConnectionString(text)).toEqual({ endpoint, accessKey: key })
})

it.each([
  ['', 'lacks endpoint='],
  [key, 'neither endpoint= nor accesskey='],
  [`endpoint=${endpoint}/`, 'lacks accesskey='],
  [`endpoint=${endpoint}/;accesskey=`, 'lacks accesskey='],
  [`accesskey=${key}`, 'lacks endpoint='],
  [`endpoint=${endpoint}/;accesskey=${key.slice(0, -3)}`, 'not base64'],
  [`endpoint=${endpoint}/;accesskey=${key}x`, 'not base64'],
  [`endpoint=${endpoint}/;accesskey=${key};more=1`, 'neither endpoint= nor accesskey='],
  [`endpoint=${endpoint}/;accesskey=${key};accesskey=${key}`, 'more than one accesskey='],
  [`endpoint=${endpoint}/:accesskey=${key}`, 'lacks accesskey='],
  [`endpoint=contoso;accesskey=${key}`, 'is not a URL'],
  [`endpoint=${key};accesskey=${endpoint}`, 'not base64'],
  [`endpoint=http://localhost:4380/;accesskey=${key}`, 'does not begin with https://'],
  [`endpoint=${endpoint}/path;accesskey=${key}`, 'more than a host'],
  [`endpoint=${endpoint}/?${key};accesskey=${key}`, 'more than a host'],
  [`endpoint=https://${key}@contoso/;accesskey=${key}`, 'more than a host'],
  [`endpoint=https://:${key.slice(0, 12)}@contoso/;accesskey=${key}`, 'more than a host'],
  [`endpoint=${endpoint}/;accesskey=${key.slice(0, 40)} ${key.slice(40)}`, 'not base64'],
  [`endpoint=${endpoint}/;accesskey=${key},${key}`, 'not base64'],
  [`first=1;endpoint=${endpoint}/;accesskey=${key}`, 'neither endpoint= nor accesskey='],
  [`${endpoint}/;${key}`, 'neither endpoint= nor accesskey='],
  [`endpoint:${endpoint}/;accesskey:${key}`, 'neither endpoint= nor accesskey='],
])('rejects %j without repeating it', async (text, words) => {
  const message = catchMessage(() => parseConnectionString(text))
  expect(message).toContain(words)
  expect(message).not.toContain(key.slice(0, 12))
  expect(message).not.toContain('contoso')
  await expect(createCommunicationIdentities({ connectionString: text }, { sdk: 'identity' })).rejects.toThrow(message)
})

it.each([
  [endpoint, undefined],
  [`${endpoint}/`, undefined],
  [` "${endpoint}/",\n`, undefined],
  ['contoso', 'the endpoint is not a URL'],
  ['http://contoso', 'the endpoint does not begin with https://'],
  [`${endpoint}/path`, 'the endpoint has more than a host'],
])('validates %j as an endpoint next to a credential', async (text, message) => {
  const created = createCommunicationIdentities(
    { endpoint: text, credential: { getToken: async () => null } },
    { sdk: 'identity' },
  )
  if (message === undefined) expect((await created).endpoint).toBe(endpoint)
  else await expect(created).rejects.toThrow(message)
})

it.each([
  [undefined, 'administration'],
  ['', 'administration'],
  ['identity', 'identity'],
  [' identity\n', 'identity'],
  ['administration', 'administration'],
] as const)('reads ACS_SDK=%s as %s', (text, sdk) => {
  expect(parseSdkName(text, 'administration')).toBe(sdk)
})

it('rejects any other ACS_SDK', () => {
  const message = 'ACS_SDK must be identity or administration'
  expect(catchMessage(() => parseSdkName('Identity', 'identity'))).toBe(message)
})

function catchMessage(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}
