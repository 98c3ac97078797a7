import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRows } from '../../src/accounts/import-files.ts'

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
