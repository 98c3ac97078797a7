import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { PASSWORD, SECRET, standing, tempDir } from '../server.ts'

const OPTIONS = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET }
const BIN = join(import.meta.dirname, '../../bin/sealwax.js')

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.remove())

function sealwax(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return sealwaxWith({}, ...args)
}

async function sealwaxWith(settings: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { env: { PATH: process.env.PATH ?? '', ...settings } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code: code as number, ...output }
}

/** Kills a copy that has sealed the source and is waiting for a lock on a table of the target. */
async function killWhileCopying(file: string, url: string): Promise<void> {
  const client = postgres(url, { onnotice() {} })
  await client.begin(async (locked) => {
    await locked`lock table sealwax.sessions in share mode`
    const copy = spawn(process.execPath, [BIN, 'db', 'copy', `sqlite:${file}`, url])
    const isWaiting = () =>
      client`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    for (let waited = 0; (await isWaiting()).length === 0; waited += 20) {
      assert.ok(waited < 20_000 && copy.exitCode === null, 'the copy waits for the lock')
      await delay(20)
    }
    copy.kill('SIGKILL')
    await once(copy, 'close')
  })
  await client.end()
}

test('db copy: a live installation moves to Postgres without log-outs; the source refuses writes while its guards keep working', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const url = await server.createDatabase()
  const old = await createAuth({ ...OPTIONS, store: sqliteStore(file) })
  await old.users.create({ id: 'user-123', email: 'alex@example.com', password: PASSWORD, roles: ['teacher'] })
  // More sessions than one statement inserts.
  for (let i = 0; i < 1100; i += 100) {
    await Promise.all(Array.from({ length: 100 }, () => old.sessions.create({ subject: 'own-user', roles: ['x'] })))
  }
  const machine = await old.clients.create({ name: 'export', scopes: ['orders:read'] })
  const live = await old.sessions.create({ subject: 'user-123' })
  const ended = await old.sessions.create({ subject: 'user-123' })
  await old.sessions.revoke(ended.session.id)
  const everywhere = await old.sessions.create({ subject: 'everywhere' })
  await old.sessions.revokeAll('everywhere')

  const copied = await sealwax('db', 'copy', `sqlite:${file}`, url)
  assert.equal(copied.stderr, '')
  assert.match(copied.stdout, /users +1\n/)
  assert.match(copied.stdout, /sessions +1103\n/)

  assert.equal(await standing(old, live.access_token), 'accepted')
  await assert.rejects(old.sessions.refresh(live.refresh_token), { code: 'temporarily_unavailable' })
  await assert.rejects(old.sessions.create({ subject: 'x' }), { code: 'temporarily_unavailable' })

  const moved = await createAuth({ ...OPTIONS, store: postgresStore(url) })
  assert.equal(await standing(moved, live.access_token), 'accepted')
  assert.equal(await standing(moved, ended.access_token), 'token_revoked')
  assert.equal(await standing(moved, everywhere.access_token), 'token_revoked')
  assert.equal(await standing(moved, (await moved.sessions.create({ subject: 'everywhere' })).access_token), 'accepted')
  const refreshed = await moved.sessions.refresh(live.refresh_token)
  assert.equal(refreshed.session.id, live.session.id)
  await assert.rejects(moved.sessions.refresh(ended.refresh_token), { reason: 'session_revoked' })
  assert.equal((await moved.users.find('alex@example.com'))?.id, 'user-123')
  const basic = Buffer.from(`${machine.client.id}:${machine.secret}`).toString('base64')
  const granted = await moved.fetch(
    new Request('http://127.0.0.1:5000/oauth/token', {
      method: 'POST',
      headers: { Authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    }),
  )
  assert.equal(granted.status, 200, 'the secret of an API client still works')
  const before = await old.audit.list({ limit: 5 })
  const after = await moved.audit.list({ limit: 5 })
  assert.ok((after.data[0]?.id ?? 0) >= (before.data[0]?.id ?? 0))
  const feed = (auth: typeof old) =>
    auth.fetch(new Request('http://127.0.0.1:5000/.well-known/revocations')).then((reply) => reply.json())
  const [oldFeed, newFeed] = [await feed(old), await feed(moved)] as { cursor: string; entries: unknown[] }[]
  assert.deepEqual(newFeed?.entries, oldFeed?.entries)
  assert.notEqual(newFeed?.cursor.split('.')[0], oldFeed?.cursor.split('.')[0], 'the copy has its own epoch')
  await Promise.all([old.close(), moved.close()])

  const twice = await sealwax('db', 'copy', `sqlite:${file}`, url)
  assert.equal(twice.code, 1)
  assert.match(twice.stderr, /The target is not empty: it has rows in clients/)
})

test('db copy: an audit row that counts events continues its count in the copy', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const url = await server.createDatabase()
  const options = { ...OPTIONS, now: () => 1_800_000_000_000 }
  const fail = (auth: Awaited<ReturnType<typeof createAuth>>) =>
    auth.fetch(
      new Request('http://127.0.0.1:5000/oauth/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'x' }),
      }),
    )
  const old = await createAuth({ ...options, store: sqliteStore(file) })
  for (let i = 0; i < 3; i += 1) await fail(old)
  await old.close()
  assert.equal((await sealwax('db', 'copy', `sqlite:${file}`, url)).code, 0)
  const moved = await createAuth({ ...options, store: postgresStore(url) })
  await fail(moved)
  const { data } = await moved.audit.list({ type: 'client.authentication_failed' })
  assert.deepEqual(
    data.map(({ count }) => count),
    [4],
  )
  await moved.close()
})

test('db copy: the source accepts writes again after a failed copy, and after a killed copy and db unseal', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const auth = await createAuth({ ...OPTIONS, store: sqliteStore(file) })
  const { refresh_token } = await auth.sessions.create({ subject: 'u' })
  const refused = await sealwax('db', 'copy', `sqlite:${file}`, 'postgres://sealwax@127.0.0.1:1/none')
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /The database "none" at 127\.0\.0\.1:1 cannot be used: the connection was refused.*\(temporarily_unavailable\)/,
  )
  await auth.sessions.refresh(refresh_token)

  const url = await server.createDatabase()
  const target = postgresStore(url)
  await target.open({ features, migrate: 'auto' })
  await target.close()
  await killWhileCopying(file, url)
  await assert.rejects(auth.sessions.refresh(refresh_token), { code: 'temporarily_unavailable' })
  assert.equal((await sealwax('db', 'unseal', `sqlite:${file}`)).code, 0)
  await auth.sessions.refresh(refresh_token)
  assert.equal((await sealwax('db', 'copy', `sqlite:${file}`, url)).code, 0, 'the copy can be started again')
  await auth.close()
})

test('db copy: any direction other than SQLite to Postgres is refused with a message', async () => {
  assert.match(
    (await sealwax('db', 'copy', 'sqlite:/nowhere.db', 'postgres://x')).stderr,
    /The source must be an existing file/,
  )
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const store = sqliteStore(file)
  await store.open({ features, migrate: 'auto' })
  await store.close()
  assert.match((await sealwax('db', 'copy', `sqlite:${file}`, 'sqlite:other.db')).stderr, /The target must be like/)
})

test('db copy: URLs can come from variables and files, so that the process list shows no password', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const store = sqliteStore(file)
  await store.open({ features, migrate: 'auto' })
  await store.close()
  const from = { SEALWAX_DATABASE_URL: `sqlite:${file}` }
  const copied = await sealwaxWith({ ...from, SEALWAX_COPY_TO: await server.createDatabase() }, 'db', 'copy')
  assert.deepEqual([copied.code, copied.stderr], [0, ''])
  assert.equal((await sealwaxWith(from, 'db', 'unseal')).stdout, 'The database accepts writes again.\n')

  const target = join(directory.path, 'new-database-url')
  writeFileSync(target, `${await server.createDatabase()}\n`, { mode: 0o600 })
  const withFile = await sealwaxWith({ SEALWAX_COPY_TO_FILE: target }, 'db', 'copy', `sqlite:${file}`)
  assert.deepEqual([withFile.code, withFile.stderr], [0, ''], 'an argument takes precedence over the variable')
  assert.equal((await sealwax('db', 'unseal', `sqlite:${file}`)).code, 0)

  const nowhere = await sealwaxWith(from, 'db', 'copy')
  assert.deepEqual([nowhere.code, nowhere.stdout], [1, ''])
  assert.match(nowhere.stderr, /^sealwax: The target is missing: set SEALWAX_COPY_TO or SEALWAX_COPY_TO_FILE/)
  const warned = await sealwax('db', 'copy', `sqlite:${file}`, 'postgres://u:hunter@127.0.0.1:1/d')
  assert.match(
    warned.stderr,
    /^sealwax: other processes of this machine can read an argument; set SEALWAX_COPY_TO_FILE/,
  )
  assert.ok(!warned.stderr.includes('hunter'))
})

test('db new-epoch: a running server returns a full snapshot for an older cursor, on SQLite and Postgres', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const url = await server.createDatabase()
  for (const [store, database] of [
    [sqliteStore(file), `sqlite:${file}`],
    [postgresStore(url), url],
  ] as const) {
    const auth = await createAuth({ ...OPTIONS, store })
    const { session } = await auth.sessions.create({ subject: 'u' })
    await auth.sessions.revoke(session.id)
    const read = async (after = '') => {
      const reply = await auth.fetch(new Request(`http://127.0.0.1:5000/.well-known/revocations${after}`))
      return (await reply.json()) as { cursor: string; snapshot: boolean; entries: unknown[] }
    }
    const { cursor } = await read()
    assert.deepEqual((await read(`?after=${cursor}`)).snapshot, false)
    const replaced = await sealwaxWith({ SEALWAX_DATABASE_URL: database }, 'db', 'new-epoch')
    assert.deepEqual(replaced, {
      ...{ code: 0, stderr: '' },
      stdout: 'The revocation feed has a new epoch: every guard reads a full snapshot.\n',
    })
    const page = await read(`?after=${cursor}`)
    assert.deepEqual([page.snapshot, page.entries.length], [true, 1])
    assert.notEqual(page.cursor.split('.')[0], cursor.split('.')[0])
    await auth.close()
  }
  const missing = await sealwax('db', 'new-epoch', 'sqlite:/nowhere.db')
  assert.match(missing.stderr, /The database must be an existing file such as sqlite:/)
})
