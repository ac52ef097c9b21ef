import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { createdOn, createUser, resourceId } from '@acs-kit/test-support/mapping-rows'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TableClient, type TransactionAction } from '@azure/data-tables'
import { ChainedTokenCredential, EnvironmentCredential } from '@azure/identity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportMappings, ndjson } from '../mappings/export-mappings.ts'
import { importMappings } from '../mappings/import-mappings.ts'
import { findMappingTable } from '../mappings/mapping-table.ts'
import { MappingFixture } from './mapping-fixture.ts'

const tenant = '9f4b7c9e-5d2a-4c4e-8d35-1f0f5a1f6b11'
const objectId = '0d8d1f3e-2b1c-4a57-9a3f-6a1c0f6c2d10'
const entra = `https://login.microsoftonline.com/${tenant}/v2.0`
const emulated = `https://localhost:4443/${tenant}/v2.0`
const oidc = 'https://sign-in.example'
const golden = readFileSync(join(import.meta.dirname, 'golden/mappings.csv'), 'utf8')
const journalEntry = {
  partitionKey: 'journal',
  rowKey: 'c0ffee00-0000-4000-8000-000000000003',
  kind: 'create',
  userKey: 'someone',
  writtenOn: createdOn,
}
const users = [
  createUser(entra, objectId, ['entra', tenant, objectId]),
  createUser(emulated, objectId.replace('0', '1'), ['entra', tenant, objectId.replace('0', '1')]),
  createUser(entra, 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ'),
  createUser(oidc, 'alice'),
  { ...createUser(oidc, 'formula'), communicationUserId: '=HYPERLINK("https://example.com","8:acs")' },
]
const none = { inserted: { users: 0, journal: 0 }, present: 0, conflict: 0, rejected: 0 }
const options = { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } }
const silent = { print: () => {}, update: () => {} }
const denied = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 60_000 }) }
let fixture: MappingFixture

beforeAll(async () => {
  fixture = await MappingFixture.start()
  await fixture.createTable('golden', [...users, journalEntry])
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('mappings export', () => {
  it('writes the map that the migration guide expects, for its owner only', async () => {
    const folder = temporaryFolder()
    const { code, stdout, stderr } = await fixture.run('golden', folder, 'export', 'dev', 'map.csv', '--format', 'csv')
    expect([code, stdout, stderr]).toEqual([0, `exported 5 rows to ${join(folder, 'map.csv')}\n`, ''])
    expect(readFileSync(join(folder, 'map.csv'), 'utf8')).toBe(golden)
    expect(statSync(join(folder, 'map.csv')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['map.csv'])
  })

  it('marks users without an Entra ID user for the archive', async () => {
    const folder = temporaryFolder()
    const args = ['export', 'organization/acs-kit/dev', '--format', 'csv', '--unmapped', 'archive-only']
    expect((await fixture.run('golden', folder, ...args)).code).toBe(0)
    const text = readFileSync(join(folder, 'mappings-dev.csv'), 'utf8')
    expect(text).toBe(golden.replaceAll('unresolved', 'archive-only'))
  })

  it.each([
    ['an existing file', ['kept.csv', '--format', 'csv'], /kept.csv already exists: choose the name of a new file/],
    [
      'a missing folder',
      ['missing/x', '--format', 'csv'],
      /cannot write \/.*\/missing\/x.partial: choose another file/,
    ],
    [
      '--unmapped for a backup',
      ['x', '--format', 'ndjson', '--unmapped', 'unresolved'],
      /applies only to --format csv/,
    ],
  ])('rejects %s', async (_name, args, message) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'kept.csv'), 'kept')
    const { code, stderr } = await fixture.run('golden', folder, 'export', 'dev', ...args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(readdirSync(folder)).toEqual(['kept.csv'])
    expect(readFileSync(join(folder, 'kept.csv'), 'utf8')).toBe('kept')
  })

  it('keeps a file that appeared in the meantime', async () => {
    const path = join(temporaryFolder(), 'x')
    const table = { client: fixture.client('golden'), url: 'https://store/golden' }
    const log = { print: () => {}, update: () => writeFileSync(path, 'kept') }
    await expect(exportMappings({ table, format: ndjson, path, log })).rejects.toThrow(/already exists/)
    expect(readFileSync(path, 'utf8')).toBe('kept')
    rmSync(path)
    expect(await exportMappings({ table, format: ndjson, path, log: silent })).toBe(6)
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(6)
  })

  it('explains a table that does not exist yet, and leaves no file', async () => {
    const folder = temporaryFolder()
    const { code, stderr } = await fixture.run('missing', folder, 'export', 'dev', 'x', '--format', 'csv')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/TableNotFound: the table does not exist until/)])
    expect(readdirSync(folder)).toEqual([])
  })

  it('names the role that it needs', async () => {
    const table = findMappingTable(fixture.outputs('golden'), denied)!
    const rejected = exportMappings({ table, format: ndjson, path: join(temporaryFolder(), 'x'), log: silent })
    await expect(rejected).rejects.toThrow(/you need the role Storage Table Data Reader/)
  })

  it.each([
    [
      'a truncated page',
      200,
      'application/json',
      '{"value":[{"subject":"secret"},\n'.padEnd(100_000, 'x'),
      '200 PARSE_ERROR',
    ],
    ["a proxy's page", 502, 'text/html', '<p>secret</p>', '502'],
  ])('does not print %s', async (_name, status, type, body, reason) => {
    await using server = await listenLocally(
      createServer((_request, response) => response.writeHead(status, { 'Content-Type': type }).end(body)),
    )
    const client = new TableClient(`http://127.0.0.1:${server.port}`, 'mappings', options)
    const table = { client, url: 'http://store/mappings' }
    const rejected = exportMappings({ table, format: ndjson, path: join(temporaryFolder(), 'x'), log: silent })
    const message = `reading the mapping table failed, run the command again: the table responded with ${reason}`
    await expect(rejected).rejects.toThrow(new Error(message))
  })

  it('says how to sign in, in one line', async () => {
    const table = findMappingTable(fixture.outputs('golden'), new ChainedTokenCredential(new EnvironmentCredential()))!
    const rejected = exportMappings({ table, format: ndjson, path: join(temporaryFolder(), 'x'), log: silent })
    await expect(rejected).rejects.toThrow(/: not signed in to Azure: run `az login`: [^\n]{1,200}[^.]$/)
  })

  it('continues after a failure where it stopped', async () => {
    await using store = await startFailingStore()
    const { proxy, client } = store
    await client.createTable()
    for (let batch = 0; batch < 25; batch++) {
      const rows = Array.from({ length: 100 }, (_, index) => ({ partitionKey: 'a0', rowKey: `${batch * 100 + index}` }))
      await client.submitTransaction(rows.map((row): TransactionAction => ['create', row]))
    }
    const path = join(temporaryFolder(), 'mappings.ndjson')
    const lines: string[] = []
    const log = { print: (line: string) => void lines.push(line), update: () => {} }
    const run = (format = ndjson) =>
      exportMappings({ table: { client, url: 'https://store/mappings' }, format, path, log })

    const start = proxy.requests.length
    proxy.state = (index) => (index < start + 2 ? 'up' : 'cut')
    await expect(run()).rejects.toThrow(/^reading the mapping table failed, run the command again: ECONNRESET/)
    expect(existsSync(path)).toBe(false)
    proxy.state = 'up'
    await expect(run({ ...ndjson, name: 'csv' })).rejects.toThrow(/belongs to a different export \(ndjson, of https:/)
    // As if it had been killed while it wrote the next pages.
    writeFileSync(`${path}.partial/rows`, '{"partitionKey":'.repeat(100_000), { flag: 'a' })
    const interruptedOn = new Date('2026-11-26T08:30:00Z')
    utimesSync(`${path}.partial/rows`, interruptedOn, interruptedOn)
    expect(await run()).toBe(2500)
    expect(lines).toEqual(['continuing after 2000 rows, exported until 2026-11-26T08:30:00.000Z'])
    const keys = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { rowKey: string }).rowKey)
    expect(new Set(keys).size).toBe(2500)
    expect(keys).toHaveLength(2500)
  })
})

describe('mappings import', () => {
  it('stops after a failure, and inserts the journal only after its users', async () => {
    await using store = await startFailingStore()
    const { proxy, client } = store
    const path = join(temporaryFolder(), 'b.ndjson')
    writeFileSync(path, [journalEntry, users[3]].map((row) => JSON.stringify(row)).join('\n'))
    const table = { client, url: 'https://store/mappings', resourceId }
    const run = () => importMappings({ table, path, isDryRun: false, log: silent, onProblem: () => {} })

    proxy.state = (index) => (index === 0 ? 'up' : 'cut')
    await expect(run()).rejects.toThrow(
      /^importing stopped after 1 user and 0 journal entries inserted, .*, run the command again to continue: ECONNRESET/,
    )
    proxy.state = 'up'
    expect(await Array.fromAsync(client.listEntities())).toMatchObject([{ rowKey: users[3]!.rowKey }])
    expect(await run()).toEqual({ inserted: { users: 0, journal: 1 }, present: 1, conflict: 0, rejected: 0 })
  })

  it('restores a backup with all types, also of the journal', async () => {
    const folder = temporaryFolder()
    const rows = [
      ...users.slice(0, 4),
      journalEntry,
      {
        ...createUser(oidc, 'every type'),
        text: 'line\n"quoted" \u2028 \u2029 ü 𝔘',
        whole: 7,
        fraction: 1.5,
        isTrue: true,
        isFalse: false,
        huge: { type: 'Double', value: '1099511627776' },
        large: { type: 'Int64', value: '9007199254740993' },
        precise: { type: 'Double', value: 'NaN' },
        id: { type: 'Guid', value: tenant },
        bytes: { type: 'Binary', value: 'AAEC' },
        tokensValidFrom: new Date(0),
      },
    ]
    await fixture.createTable('source', rows)
    const exported = await fixture.run('source', folder, 'export', 'dev', 'b.ndjson', '--format', 'ndjson')
    expect(exported.code).toBe(0)
    // Types that JSON has are not written.
    expect(readFileSync(join(folder, 'b.ndjson'), 'utf8')).toContain(
      '"whole":7,"fraction":{"value":"1.5","type":"Double"},"isTrue":true,',
    )
    const { code, stdout, stderr } = await fixture.run('restored', folder, 'import', 'dev', 'b.ndjson')
    const counts = '5 users and 1 journal entry inserted, 0 already present, 0 in conflict, 0 rejected\n'
    expect([code, stdout, stderr]).toEqual([0, counts, ''])
    expect(await fixture.rows('restored')).toEqual(await fixture.rows('source'))
    const again = await fixture.run('restored', folder, 'import', 'dev', 'b.ndjson')
    expect(again.stdout).toBe('0 users and 0 journal entries inserted, 6 already present, 0 in conflict, 0 rejected\n')
  })

  it('keeps existing rows, reports what it does not import, and is repeatable', async () => {
    const [same, other, added] = ['same', 'other', 'added'].map((name) => createUser(oidc, name)) as [User, User, User]
    const foreign = { ...createUser(oidc, 'foreign'), communicationUserId: `8:acs:${tenant}_1` }
    const current = { ...other, communicationUserId: `8:acs:${resourceId}_current` }
    const name = 'partly'
    await fixture.createTable(name, [{ ...same, epoch: 'newer' }, current])
    const lines = [
      same,
      other,
      foreign,
      '{"partitionKey":',
      '',
      { ...createUser(oidc, 'no identity'), communicationUserId: '8:orgid:x' },
      { ...createUser(oidc, 'too long'), extra: 'x'.repeat(100_000) },
      journalEntry,
      added,
      { ...added, communicationUserId: `8:acs:${resourceId}_second` },
    ]
    const folder = temporaryFolder()
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
    writeFileSync(join(folder, 'b.ndjson'), text)
    const existing = await fixture.rows(name)
    const problems = [
      [2, `the user already has the identity ${current.communicationUserId}, which was kept`],
      [3, `belongs to the resource ${tenant}, not to ${resourceId} of this stack`],
      [4, 'is not a row of a backup: export with --format ndjson'],
      [6, `belongs to no resource, not to ${resourceId} of this stack`],
      [7, 'the table rejected the row with PropertyValueTooLarge: correct it'],
      [10, `the user already has the identity ${added.communicationUserId}, which was kept`],
    ].map(([line, why]) => `mappings: ${join(folder, 'b.ndjson')}:${line}: not imported: ${why}`)

    const trial = await fixture.run(name, folder, 'import', 'dev', 'b.ndjson', '--dry-run')
    expect([trial.code, trial.stdout]).toEqual([
      1,
      expect.stringMatching(/^dry run, nothing was changed: .* 1 already/),
    ])
    expect(await fixture.rows(name)).toEqual(existing)

    const first = await fixture.run(name, folder, 'import', 'dev', 'b.ndjson')
    expect(first.stderr.trim().split('\n').toSorted()).toEqual(problems.toSorted())
    expect([first.code, first.stdout]).toEqual([
      1,
      '1 user and 1 journal entry inserted, 1 already present, 2 in conflict, 4 rejected\n',
    ])
    const rows = await fixture.rows(name)
    expect(rows).toEqual(expect.arrayContaining(existing))
    expect(rows).toHaveLength(4)

    const second = await fixture.run(name, folder, 'import', 'dev', 'b.ndjson')
    expect(second.stdout).toBe('0 users and 0 journal entries inserted, 3 already present, 2 in conflict, 4 rejected\n')
    expect(await fixture.rows(name)).toEqual(rows)
  })

  it('rejects rows that the service does not write, also in a dry run', async () => {
    const ivan = createUser(oidc, 'ivan')
    const { createdOn: _, ...undated } = ivan
    const invalid: readonly [row: object, why: string][] = [
      [{ ...ivan, rowKey: users[3]!.rowKey, partitionKey: users[3]!.partitionKey }, 'has keys of another user'],
      [{ ...ivan, partitionKey: 'a' }, 'has keys of another user'],
      [{ ...createUser(entra, objectId, ['entra', resourceId, objectId]) }, 'has keys of another user'],
      [{ ...ivan, rowKey: 'a/b' }, 'is not a row of a backup'],
      [undated, 'has an invalid createdOn'],
      [{ ...ivan, createdOn: createdOn.value }, 'has an invalid createdOn'],
      [{ ...ivan, createdOn: { ...createdOn, value: '2026-13-01T00:00:00Z' } }, 'has an invalid createdOn'],
      [{ ...ivan, tokensValidFrom: 0 }, 'has an invalid tokensValidFrom'],
      [{ ...ivan, epoch: { value: {} } }, 'is not a row of a backup'],
      [{ ...ivan, epoch: 1 }, 'has an invalid epoch'],
      [{ ...ivan, resourceId: tenant }, 'has an invalid resourceId'],
      [{ ...ivan, PartitionKey: 'journal' }, 'is not a row of a backup'],
      [{ ...ivan, 'epoch@odata.type': 'Edm.Guid' }, 'is not a row of a backup'],
      [{ ...ivan, extra: { type: 'Double', value: 'x' } }, 'is not a row of a backup'],
      [{ ...ivan, extra: { type: 'constructor', value: 'x' } }, 'is not a row of a backup'],
      [{ ...ivan, extra: 2 ** 31 }, 'is not a row of a backup'],
      [{ ...journalEntry, kind: 'other' }, 'has an invalid kind'],
      [{ ...journalEntry, writtenOn: 'today' }, 'has an invalid writtenOn'],
      [{ ...journalEntry, communicationUserId: '' }, 'has an invalid communicationUserId'],
      [{ ...journalEntry, communicationUserId: `8:acs:${tenant}_1` }, `belongs to the resource ${tenant}`],
    ]
    const path = join(temporaryFolder(), 'b.ndjson')
    writeFileSync(path, invalid.map(([row]) => JSON.stringify(row)).join('\n'))
    const client = await fixture.createTable('tampered', [])
    const table = { client, url: 'https://store/tampered', resourceId }
    for (const isDryRun of [true, false]) {
      const problems: [line: number, message: string][] = []
      const onProblem = (line: number, message: string) => void problems.push([line, message.replace(/[:,].*/, '')])
      const counts = await importMappings({ table, path, isDryRun, log: silent, onProblem })
      expect(problems).toEqual(invalid.map(([, why], index) => [index + 1, why]))
      expect(counts).toEqual({ ...none, rejected: invalid.length })
    }
    expect(await fixture.rows('tampered')).toEqual([])
  })

  it('ignores a byte order mark', async () => {
    const path = join(temporaryFolder(), 'b.ndjson')
    writeFileSync(path, `\uFEFF${JSON.stringify(users[0])}`)
    const table = { client: fixture.client('marked'), url: 'https://store/marked', resourceId }
    const counts = await importMappings({ table, path, isDryRun: true, log: silent, onProblem: () => {} })
    expect(counts).toEqual({ ...none, inserted: { users: 1, journal: 0 } })
  })

  it('imports rows that exceed the size of a transaction', async () => {
    // Rows of one partition, of 120 kB each.
    const rows = Array.from({ length: 10_000 }, (_, index) => createUser(oidc, `${index}`))
      .filter(({ partitionKey }) => partitionKey === 'a0')
      .map((user) => ({ ...user, extra: '\u{10FFFF}'.repeat(15_000), other: '\u{10FFFF}'.repeat(15_000) }))
    const path = join(temporaryFolder(), 'b.ndjson')
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
    const table = { client: fixture.client('large'), url: 'https://store/large', resourceId }
    const run = () => importMappings({ table, path, isDryRun: false, log: silent, onProblem: () => {} })
    expect(await run()).toEqual({ ...none, inserted: { users: rows.length, journal: 0 } })
    expect(rows.length * 120_000).toBeGreaterThan(4 * 2 ** 20)
  })

  it('counts for a table that does not exist, and does not create it', async () => {
    const folder = temporaryFolder()
    writeFileSync(
      join(folder, 'b.ndjson'),
      users
        .slice(0, 4)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    )
    const { code, stdout } = await fixture.run('uncreated', folder, 'import', 'dev', 'b.ndjson', '--dry-run')
    const counts = '4 users and 0 journal entries would be inserted, 0 already present, 0 in conflict, 0 rejected'
    expect([code, stdout]).toEqual([0, `dry run, nothing was changed: ${counts}\n`])
    await expect(fixture.rows('uncreated')).rejects.toThrow(/TableNotFound/)
  })

  it.each([
    ['a CSV', 'map.csv', /map.csv is a CSV, which is not a complete backup: import a file of --format ndjson/],
    ['a CSV of a spreadsheet', 'excel.csv', /excel.csv is a CSV, which is not a complete backup/],
    ['a missing file', 'missing', /cannot read \/.*\/missing: ENOENT/],
    ['an empty file', 'empty.ndjson', /empty.ndjson contains no rows: export the mapping again/],
    ['a folder', '.', /cannot read \/.*: EISDIR/],
  ])('rejects %s', async (_name, file, message) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'map.csv'), golden)
    writeFileSync(join(folder, 'excel.csv'), `\uFEFF${golden.replaceAll('\n', '\r\n')}`)
    writeFileSync(join(folder, 'empty.ndjson'), '')
    const { code, stderr } = await fixture.run('golden', folder, 'import', 'dev', file)
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('names the role that it needs', async () => {
    const path = join(temporaryFolder(), 'b.ndjson')
    writeFileSync(path, JSON.stringify(users[0]))
    const table = findMappingTable(fixture.outputs('golden'), denied)!
    const rejected = importMappings({ table, path, isDryRun: false, log: silent, onProblem: () => {} })
    await expect(rejected).rejects.toThrow(/you need the role Storage Table Data Contributor/)
  })
})

it('rejects a stack without a mapping table', async () => {
  const folder = temporaryFolder()
  const { code, stderr } = await fixture.runWith({}, folder, 'export', 'dev', '--format', 'csv')
  expect([code, stderr]).toEqual([
    1,
    'mappings: stack dev has no mapping table: deploy it with `pulumi up` in infra/\n',
  ])
})

type User = ReturnType<typeof createUser>

/** Azurite behind a proxy, with a client that does not retry. */
async function startFailingStore() {
  await using parts = new AsyncDisposableStack()
  const azurite = parts.use(await Azurite.start())
  const proxy = parts.use(await StoreProxy.start(azurite.connectionString))
  const client = TableClient.fromConnectionString(proxy.connectionString, 'mappings', options)
  const open = parts.move()
  return { proxy, client, [Symbol.asyncDispose]: () => open.disposeAsync() }
}
