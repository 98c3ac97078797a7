import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRows } from '../../src/accounts/import-files.ts'
import { type AuditEvent, createAuth, type ImportRefusal, type ImportUser } from '../../src/index.ts'
import { SECRET } from '../server.ts'
import { STORES } from '../stores.ts'
import { HASHES } from './hashes.ts'

const BCRYPT = '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'
const user = (email: string, more: Partial<ImportUser> = {}) => ({ email, passwordHash: BCRYPT, ...more })

for (const [name, open] of Object.entries(STORES)) {
  describe(`users.import, ${name}`, () => {
    async function started() {
      const opened = await open()
      const events: AuditEvent[] = []
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: opened.store,
        onEvent: (event) => void events.push(event),
      })
      const refusals: ImportRefusal[] = []
      const onRefused = (refusal: ImportRefusal) => void refusals.push(refusal)
      return {
        ...{ auth, events, refusals, onRefused, store: opened.store, users: auth.users },
        imported: () => events.filter(({ type }) => type === 'users.imported').map(({ data }) => data),
        async [Symbol.asyncDispose]() {
          await auth.close()
          await opened[Symbol.asyncDispose]()
        },
      }
    }

    it('stores every member, and the user logs in with the old password', async () => {
      await using server = await started()
      const createdAt = new Date('2020-02-29T12:00:00Z')
      const full = { id: 'legacy-7', roles: ['teacher'], name: 'Ann', attributes: { plan: 'a' }, createdAt }
      const rows = [user('Ann@Example.com', { ...full, emailVerified: true }), user('bob@example.com')]
      assert.deepEqual(await server.users.import(rows), { created: 2, unchanged: 0, refused: 0 })
      assert.deepEqual(await server.users.get('legacy-7'), {
        ...{ ...full, email: 'ann@example.com', disabled: false, emailVerified: true },
      })
      const bob = await server.users.find('bob@example.com')
      assert.match(bob?.id ?? '', /^usr_/)
      assert.equal(bob?.emailVerified, false)
      const { user: ann } = await server.auth.login({ email: 'ann@example.com', password: 'correct horse' })
      assert.deepEqual(ann.roles, ['teacher'])
      assert.equal((await server.users.list({ role: 'teacher' })).length, 1, 'found by its role')
      assert.equal((await server.users.list({ query: 'ann' })).length, 1, 'found by its name')
      assert.deepEqual(server.imported(), [{ created: 2, unchanged: 0, refused: 0 }])
      assert.equal(
        server.events.some(({ type }) => type === 'user.created'),
        false,
      )
    })

    it('leaves users unchanged who exist, and refuses rows that contradict them', async () => {
      await using server = await started()
      await server.users.create({ id: 'a', email: 'ann@example.com', password: 'a long enough passphrase' })
      const before = await server.store.committed.users.byId('a')
      const rows = [
        user('ANN@example.com'),
        user('ann@example.com', { id: 'a' }),
        user('ann@example.com', { id: 'b' }),
        user('other@example.com', { id: 'a' }),
        user('new@example.com', { id: 'n' }),
        user('new@example.com', { name: 'again' }),
        user('new@example.com', { id: 'm' }),
        user('newer@example.com', { id: 'n' }),
      ]
      for (const dryRun of [true, false]) {
        const { refusals, onRefused } = server
        assert.deepEqual(await server.users.import(rows, { onRefused, dryRun }), {
          created: 1,
          unchanged: 3,
          refused: 4,
        })
        assert.deepEqual(
          refusals.splice(0).map(({ line, code }) => [line, code]),
          [
            [3, 'email_taken'],
            [4, 'id_taken'],
            [7, 'email_taken'],
            [8, 'id_taken'],
          ],
        )
        assert.equal((await server.users.list()).length, dryRun ? 1 : 2)
      }
      assert.deepEqual(await server.store.committed.users.byId('a'), before)
      assert.equal((await server.users.find('new@example.com'))?.name, undefined)
      assert.equal(server.imported().length, 1, 'a dry run is no event')
    })

    it('refuses an address that its former owner may still return to', async () => {
      await using server = await started()
      const now = Date.now()
      await server.store.transaction(({ oneTimeTokens }) =>
        oneTimeTokens.put({
          ...{ hash: 'h', purpose: 'undo-email-change', holder: 'a', email: 'ann@example.com', data: { subject: 'a' } },
          ...{ code: null, code_tries: 0, created_at: now, expires_at: now + 60_000 },
        }),
      )
      const { onRefused } = server
      const rows = [user('ann@example.com', { id: 'b' }), user('bob@example.com')]
      assert.deepEqual(await server.users.import(rows, { onRefused }), { created: 1, unchanged: 0, refused: 1 })
      assert.deepEqual(
        server.refusals.map(({ code }) => code),
        ['email_taken'],
      )
    })

    it('simultaneous imports of the same users store each once', async () => {
      await using server = await started()
      const rows = Array.from({ length: 1200 }, (_, i) => user(`u${i}@example.com`))
      const counts = await Promise.all([1, 2, 3].map(() => server.users.import(rows)))
      const sum = (of: 'created' | 'unchanged' | 'refused') => counts.reduce((all, one) => all + one[of], 0)
      assert.deepEqual([sum('created'), sum('unchanged'), sum('refused')], [1200, 2400, 0])
    })

    it('an error of the rows ends it; what was stored stays and is in the event', async () => {
      await using server = await started()
      async function* rows() {
        for (let i = 0; i < 700; i += 1) yield user(`u${i}@example.com`)
        throw new Error('the other database is away')
      }
      await assert.rejects(server.users.import(rows()), /the other database is away/)
      assert.deepEqual(server.imported(), [{ created: 500, unchanged: 0, refused: 0, interrupted: true }])
      const again = Array.from({ length: 700 }, (_, i) => user(`u${i}@example.com`))
      assert.deepEqual(await server.users.import(again), { created: 200, unchanged: 500, refused: 0 })
    })

    it('refuses each wrong row with a reason that contains nothing of it', async () => {
      await using server = await started()
      const { onRefused } = server
      const wrong: [unknown, code: string, detail: RegExp][] = [
        [null, 'validation_failed', /not an object/],
        [{ passwordHash: BCRYPT }, 'validation_failed', /no e-mail address/],
        [{ email: 'a@example.com' }, 'validation_failed', /no password hash/],
        [{ email: 'a@example.com', [BCRYPT]: 1 }, 'validation_failed', /no column of this name/],
        [user('a@example.com', { password: 'x' } as object), 'validation_failed', /no column "password"/],
        [user('a@example.com', { roles: 'admin' } as object), 'validation_failed', /roles must be a list/],
        [user('a@example.com', { roles: ['a b'] }), 'validation_failed', /roles must be/],
        [user('a@example.com', { id: 'a b' }), 'validation_failed', /id must be/],
        [user('a@example.com', { name: 'a\nb' }), 'validation_failed', /name must be/],
        [user('a@example.com', { attributes: [] as object as never }), 'attributes_invalid', /JSON object/],
        [user('a@example.com', { createdAt: new Date(Number.NaN) }), 'validation_failed', /createdAt must be/],
        [user('a@example.com', { createdAt: new Date('2999-01-01') }), 'validation_failed', /between 1970 and now/],
        [user('nobody'), 'email_invalid', /not an e-mail address/],
        [user('a@example.com', { passwordHash: `x${BCRYPT}` }), 'password_hash_invalid', /format .* unknown/],
        [user('a@example.com', { passwordHash: BCRYPT.replace('$04$', '$31$') }), 'password_hash_invalid', /cost/],
      ]
      const rows = wrong.map(([row]) => row) as ImportUser[]
      assert.deepEqual(await server.users.import(rows, { onRefused }), {
        created: 0,
        unchanged: 0,
        refused: wrong.length,
      })
      for (const [i, [, code, detail]] of wrong.entries()) {
        assert.deepEqual([server.refusals[i]?.line, server.refusals[i]?.code], [i + 1, code])
        assert.match(server.refusals[i]?.detail ?? '', detail)
      }
      assert.ok(!JSON.stringify([server.refusals, server.events]).includes(BCRYPT.slice(8)))
      assert.deepEqual(await server.users.list(), [])
    })

    it('accepts a hash of every other system', async () => {
      await using server = await started()
      const rows = HASHES.map(([, , , passwordHash], i) => ({ email: `u${i}@example.com`, passwordHash }))
      assert.deepEqual(await server.users.import(rows), { created: rows.length, unchanged: 0, refused: 0 })
    })

    it('refuses wrong arguments', async () => {
      await using server = await started()
      const call = server.users.import as (...given: unknown[]) => Promise<unknown>
      for (const given of [[], [7], ['text'], [{}], [[], { batch: 1 }], [[], { onRefused: 1 }], [[], { dryRun: 1 }]]) {
        await assert.rejects(call(...given), { code: 'validation_failed' }, JSON.stringify(given))
      }
    })
  })
}

describe('files of users', () => {
  /** Reads a file in chunks of `size` bytes: rows become the members, or the reason. */
  async function read(format: 'csv' | 'jsonl', content: string | Uint8Array, size = 7) {
    const bytes = Buffer.from(content)
    async function* chunks() {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    const rows: [number, unknown][] = []
    for await (const row of readRows(chunks(), format)) {
      rows.push([row.line, 'user' in row ? row.user : row.refusal.detail])
    }
    return rows
  }
  const HEAD = 'email,password_hash,name\r\n'
  const ann = (name?: string) => ({ email: 'a@example.com', passwordHash: 'H', ...(name !== undefined && { name }) })

  it('CSV: quotes, doubled quotes, commas and line ends inside quotes, CRLF and LF, a BOM, no last line end', async () => {
    const lines = `\ufeff${HEAD}a@example.com,H,"Ann ""A"", B"\r\na@example.com,H,\n\n"a@example.com","H","x\ny"\na@example.com,H,end`
    for (const size of [1, 7, 1000]) {
      assert.deepEqual(await read('csv', lines, size), [
        [2, ann('Ann "A", B')],
        [3, ann()],
        [5, ann('x\ny')],
        [7, ann('end')],
      ])
    }
  })

  it('CSV: reads every column from text', async () => {
    const head = 'created_at,email_verified,roles,attributes,id,email,password_hash'
    const rows = await read('csv', `${head}\n2024-05-01 12:00:00.123456+02,t,a b,"{""n"":1}",u1,a@example.com,H\n`)
    const createdAt = new Date('2024-05-01T10:00:00.123Z')
    assert.deepEqual(rows, [
      [2, { createdAt, emailVerified: true, roles: ['a', 'b'], attributes: { n: 1 }, id: 'u1', ...ann() }],
    ])
    for (const [column, value] of [
      ['created_at', '2024-05-01'],
      ['created_at', '2024-02-30T00:00:00Z'],
      ['created_at', '2024-13-01T00:00:00Z'],
      ['created_at', '1714557600'],
      ['email_verified', 'yes'],
      ['attributes', '{n:1}'],
    ]) {
      const [[, reason] = []] = await read('csv', `email,password_hash,${column}\na@example.com,H,${value}\n`)
      assert.match(String(reason), new RegExp(`^${column} must be`), value)
    }
  })

  it('CSV: a row that is not CSV is refused with its line, and the next one is read', async () => {
    const good = 'a@example.com,H,ok'
    for (const [bad, reason] of [
      ['a@example.com,H,Ann "A"', /not CSV/],
      ['a@example.com,"H"x,A', /not CSV/],
      ['a@example.com,H', /2 values, but the header has 3/],
      ['a@example.com,H,a,b', /4 values/],
      ['a@example.com,H,"open', /not CSV|not closed/],
      [`a@example.com,H,${'x'.repeat(70_000)}`, /longer than 65536 bytes/],
    ] as const) {
      const rows = await read('csv', `${HEAD}${good}\r\n${bad}\r\n${good}\r\n${good}\r\n`, 1000)
      assert.deepEqual(
        rows.map(([line]) => line),
        [2, 3, 4, 5],
        bad.slice(0, 40),
      )
      assert.match(String(rows[1]?.[1]), reason)
      assert.deepEqual([rows[0]?.[1], rows[2]?.[1], rows[3]?.[1]], [ann('ok'), ann('ok'), ann('ok')])
    }
  })

  it('CSV: a quote that is never closed costs one row, in a file of any length', async () => {
    const rows = await read('csv', `${HEAD}a@example.com,H,"open\n${'a@example.com,H,ok\n'.repeat(5000)}`, 65_536)
    assert.equal(rows.length, 5001)
    assert.equal(rows.filter(([, row]) => typeof row === 'string').length, 1)
  })

  it('what is not UTF-8 is refused with its line', async () => {
    const bytes = Buffer.concat([
      Buffer.from(HEAD),
      Buffer.from('a@example.com,H,\xe9\n', 'latin1'),
      Buffer.from('a@example.com,H,é\n'),
    ])
    assert.deepEqual(await read('csv', bytes), [
      [2, 'The line is not UTF-8'],
      [3, ann('é')],
    ])
    assert.deepEqual(await read('jsonl', Uint8Array.of(0xff, 0xfe, 0x7b, 10)), [[1, 'The line is not UTF-8']])
  })

  it('CSV: a header that cannot be used ends the import, and its names are not repeated', async () => {
    for (const [header, reason] of [
      ['', /empty/],
      ['a@example.com,$2b$04$secret', /name that is number 1/],
      ['email;password_hash', /separated by commas/],
      ['email,password_hash,email', /twice/],
      ['email,name', /no password_hash/],
      ['"email', /not closed/],
    ] as const) {
      await assert.rejects(read('csv', header), (error: Error) => {
        assert.match(error.message, reason)
        assert.ok(!error.message.includes('secret'))
        return true
      })
    }
  })

  it('JSON lines: reads objects, and a credential of Keycloak as the hash', async () => {
    const credential = { credentialData: '{}', secretData: '{}' }
    const given = { email: 'a@example.com', password_hash: credential, name: null, created_at: '2024-05-01T00:00:00Z' }
    const lines = [
      JSON.stringify(given),
      '',
      '[]',
      '{"email":1}',
      '{"email":"a@example.com","password_hash":"H","x":1}',
    ]
    assert.deepEqual(await read('jsonl', lines.join('\r\n')), [
      [1, { ...ann(), passwordHash: JSON.stringify(credential), createdAt: new Date('2024-05-01') }],
      [3, 'The row is not an object'],
      [4, 'email must be text'],
      [5, 'There is no column "x"'],
    ])
  })
})
