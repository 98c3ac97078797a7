import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { listUsers } from '../../src/accounts/user-list.ts'
import type { Context } from '../../src/core/context.ts'
import { openFile } from '../stores.ts'

/** Enough rows that a search that does not use an index is noticed. */
const USERS = 200_000

const LISTS: readonly object[] = [
  {},
  { after: 'user-5' },
  { query: 'a' },
  { query: 'name 1' },
  { query: 'name 1', after: 'user-1' },
  { query: 'nobody' },
  { disabled: true },
  { emailVerified: true },
  { emailVerified: false },
  { role: 'common' },
  { role: 'rare' },
  { role: 'nobody' },
  { role: 'common', disabled: true },
  { query: 'a', disabled: true },
  { query: 'a', role: 'rare' },
  { query: 'name', role: 'rare', disabled: false },
]

test('sqlite: no list of users reads more than a small part of the table', async () => {
  await using opened = await openFile()
  const database = new DatabaseSync(opened.file)
  database.exec(`
    insert into users (id, email, roles, ver, credential_version, disabled_at, email_verified_at, name, name_key,
      created_at, updated_at)
    with recursive s(n) as (select 1 union all select n + 1 from s where n < ${USERS})
    select 'user-' || n, char(97 + n % 2) || n || '@example.com',
      case when n % 20000 = 1 then '["common","rare"]' else '["common"]' end, 1, 1, case n % 20000 when 3 then 1 end,
      case n when 7 then 1 end, 'Name ' || n, 'name ' || n, 0, 0 from s`)
  // The time of a full scan on this machine: one that looks at every row.
  const scan = time(() => database.prepare(`select count(*) from users where name like '%zzz%'`).get())
  database.close()
  const context = { store: opened.store } as Context
  const slow: string[] = []
  for (const page of LISTS) {
    await listUsers(context, page)
    const times: number[] = []
    for (let i = 0; i < 5; i += 1) {
      const begun = performance.now()
      await listUsers(context, page)
      times.push(performance.now() - begun)
    }
    const best = Math.min(...times)
    if (best > scan / 2) slow.push(`${JSON.stringify(page)}: ${best.toFixed(1)} ms, a full scan ${scan.toFixed(1)} ms`)
  }
  assert.deepEqual(slow, [])
})

function time(act: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const begun = performance.now()
    act()
    return performance.now() - begun
  })
  return Math.min(...times)
}
