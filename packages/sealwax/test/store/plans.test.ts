import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { startPostgres } from '../postgres.ts'
import { PASSWORD, SECRET } from '../server.ts'

/**
 * Enough rows that a full table scan is never the best plan; docs/stores.md refers to a run with a
 * million.
 */
const SESSIONS = Number(process.env.PLAN_SESSIONS ?? 20_000)
/** Rows per purge, few in relation to the table. The hourly purge deletes 100 at a time. */
const PURGED = SESSIONS / 2000

test('postgres: no query at the start or of a request scans a whole table', async () => {
  const server = await startPostgres()
  const url = await server.createDatabase()
  const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
  // The tables are still empty here, so indexes would not be used.
  const first = await createAuth({ ...options, store: postgresStore(url) })
  await first.users.create({ id: 'u', email: 'alex@example.com', password: PASSWORD })
  await first.sessions.create({ subject: 'somebody' })
  const machine = await first.clients.create({ name: 'export', scopes: ['introspect'] })
  await first.close()
  await fill(url)
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql`select pg_stat_reset()`
  const store = postgresStore(url)
  const auth = await createAuth({ ...options, store })
  // The start reads all live revocations, in pages. Once the statistics include those reads, they
  // include all earlier ones too.
  let start = await fullScans(sql)
  for (let looks = 0; looks < 10 && (await indexScans(sql, 'revocations')) === 0; looks += 1)
    start = await fullScans(sql)
  await sql`select pg_stat_reset()`

  const post = (path: string, body: object) =>
    auth.fetch(
      new Request(`http://127.0.0.1:5000${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  const login = await post('/login', { email: 'alex@example.com', password: PASSWORD })
  const { refresh_token } = (await login.json()) as { refresh_token: string }
  assert.equal((await post('/login', { email: 'alex@example.com', password: `not ${PASSWORD}` })).status, 401)
  assert.equal((await post('/login', { email: 'alex@example.com', password: `not ${PASSWORD}` })).status, 401)
  const refreshed = (await (await post('/refresh', { refresh_token })).json()) as { refresh_token: string }
  const form = (path: string, parameters: Record<string, string>) => {
    const credentials = { client_id: machine.client.id, client_secret: machine.secret }
    const body = new URLSearchParams({ ...credentials, ...parameters })
    return auth.fetch(new Request(`http://127.0.0.1:5000${path}`, { method: 'POST', body }))
  }
  for (const reply of [
    await form('/oauth/token', { grant_type: 'client_credentials' }),
    await form('/oauth/introspect', { token: refreshed.refresh_token }),
  ]) {
    assert.equal(reply.status, 200)
  }
  await auth.clients.rotate(machine.client.id)
  await auth.clients.list({ limit: 50 })
  await auth.clients.delete(machine.client.id)
  const [newest] = await auth.sessions.list('u')
  await auth.sessions.list('u', { after: newest?.id as string, limit: 50 })
  await auth.sessions.create({ subject: 'u' })
  await auth.sessions.create({ subject: 'own' })
  await auth.users.setRoles('u', ['x'])
  await auth.users.find('user-5@example.com')
  await auth.users.list({ limit: 50 })
  for (const filter of [{ disabled: true }, { emailVerified: true }, { role: 'x' }, { role: 'x', disabled: true }]) {
    await auth.users.list(filter)
    await auth.users.list({ ...filter, query: 'user-5' })
  }
  const reset = { password: PASSWORD }
  assert.equal((await post('/password/forgot', { email: 'user-5@example.com' })).status, 202)
  assert.equal((await post('/password/reset', { ...reset, token: 'swo_x' })).status, 400)
  assert.equal((await post('/password/reset', { ...reset, email: 'user-5@example.com', code: '123456' })).status, 400)
  await auth.users.invite({ email: 'guest@example.com' })
  await auth.users.list({ query: 'USER-5', limit: 5 })
  await auth.users.list({ query: 'name 77', limit: 500 })
  await auth.users.list({ query: 'name 77', limit: 5, after: 'user-77' })
  await auth.audit.list({ subject: 'u', limit: 10 })
  await auth.audit.list({ type: 'key.revoked', limit: 10 })
  await auth.audit.list({ limit: 10 })
  await reported(sql)
  const second = await fullScans(sql)
  const read = await liveSessionsRead(sql)
  // Reading everything in one page is a full scan; reading on from its cursor must not be.
  const { cursor } = await store.committed.revocations.since(undefined, { now: 0, limit: 2 * SESSIONS })
  await sql`select pg_stat_reset()`
  await store.committed.revocations.since(cursor, { now: 0, limit: 1000 })
  await post('/logout', { refresh_token: refreshed.refresh_token, scope: 'all' })
  await store.transaction((facts) => facts.sessions.purge(3_500_000_000_000, PURGED))
  await store.transaction((facts) => facts.revocations.purge(4_100_000_000, PURGED))
  await store.transaction((facts) => facts.subjectVersions.purge(4_100_000_000, PURGED))
  await store.transaction((facts) => facts.audit.purge(4_100_000_000_000, PURGED))
  await auth.users.delete('u')
  await auth.close()

  const third = await fullScans(sql)
  const count = await indexScans(sql, 'sessions')
  await sql.end()
  await server.remove()
  assert.ok(count > 0, 'the statistics include the queries')
  assert.deepEqual([start, second, third], [[], [], []])
  assert.ok(
    read > 0 && read < 50,
    `${read} sessions were read for a user with a few live ones and ${SESSIONS} that have ended`,
  )
})

/** Uses a separate connection, which reports its statistics when it ends. */
async function fill(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql`
    insert into sealwax.users
    select 'user-' || n, 'user-' || n || '@example.com', null, case n % 2 when 0 then '["y"]' else '[]' end, 1, 1, null, 0, 0,
      null, null, 'Name ' || n, null, 'name ' || n
    from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.sessions (id, subject, client_id, generation, hmac_key, amr, auth_time, created_at, seen_at,
      idle_expires_at, absolute_expires_at, access_expires_at, ended_at)
    select 'id-' || n, 'user-' || n, 'sealwax', 0, (select hmac_key from sealwax.sessions limit 1), '[]', 0, n, 0,
      4000000000000, 4000000000000, 0, case when n % 10 = 0 then 3000000000000 end
    from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.sessions (id, subject, client_id, generation, hmac_key, amr, auth_time, created_at, seen_at,
      idle_expires_at, absolute_expires_at, access_expires_at, ended_at)
    select 'ended-' || n, 'u', 'sealwax', 0, (select hmac_key from sealwax.sessions limit 1), '[]', 0, n, 0,
      4000000000000, 4000000000000, 0, 3000000000000 + n
    from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.subject_versions
    select 'user-' || n, 1, 4000000000 from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.audit_events (time, type, subject, data)
    select n, 'session.created', 'user-' || n, '{}' from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.revocations (kind, key, ver, until)
    select 'sid', 'id-' || n, null, 4000000000 from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.clients
    select 'cli_' || n, 'x', '[]', 1, null, 0, 0 from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.client_secrets
    select 'secret-' || n, 'cli_' || n, '\\x00', 0, null from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.one_time_tokens (hash, purpose, holder, email, data, code, code_tries, created_at, expires_at)
    select 'hash-' || n, 'invite', 'user-' || n || '@example.org', 'user-' || n || '@example.org', '{"roles":[]}',
      (select hmac_key from sealwax.sessions limit 1), 0, 0, 4000000000000
    from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.outbox (id, kind, recipient, data, attempts, due_at, created_at)
    select 'mail-' || n, 'reset-password', 'x@example.org', '{}', 0, 4000000000000, 0
    from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.mail_counts select 'key-' || n, 1, 4000000000000 from generate_series(1, ${SESSIONS}::int) n`
  await sql`
    insert into sealwax.throttle_counters (key, account, count, at, booked, expires_at)
    select 'key-' || n, 'account-' || n, 1, 0, 0, 4000000000000 from generate_series(1, ${SESSIONS}::int) n`
  await sql`vacuum analyze`
  await sql.end()
}

/** How many entries of the index of live sessions were read. */
async function liveSessionsRead(sql: postgres.Sql): Promise<number> {
  const [{ read } = { read: 0 }] = await sql<{ read: number }[]>`
    select idx_tup_read::int as read from pg_stat_user_indexes where indexrelname = 'sessions_live'`
  return read
}

/**
 * Waits for the statistics: an open connection reports its counts within 10 seconds. Several were
 * used, so the writes to the table may be reported before the reads of live sessions.
 */
async function reported(sql: postgres.Sql): Promise<void> {
  const isReported = async () => (await indexScans(sql, 'sessions')) > 0 && (await liveSessionsRead(sql)) > 0
  for (let tries = 0; tries < 30 && !(await isReported()); tries += 1) {
    await delay(500)
    await sql`select pg_stat_clear_snapshot()`
  }
}

/** How often indexes of the table were used. */
async function indexScans(sql: postgres.Sql, table: string): Promise<number> {
  const rows = await sql<{ count: number }[]>`
    select idx_scan::int as count from pg_stat_user_tables where relname = ${table}`
  return rows[0]?.count ?? 0
}

/** The large tables that were scanned completely. */
async function fullScans(sql: postgres.Sql): Promise<string[]> {
  // A connection reports its counts after it has been idle for about a second.
  await delay(1200)
  await sql`select pg_stat_clear_snapshot()`
  const rows = await sql<{ relname: string }[]>`
    select relname from pg_stat_user_tables
    where relname in ('users', 'sessions', 'audit_events', 'revocations', 'clients', 'client_secrets', 'subject_versions', 'user_roles',
      'one_time_tokens', 'outbox', 'mail_counts', 'throttle_counters')
      and seq_scan > 0 order by relname`
  return rows.map(({ relname }) => relname)
}
