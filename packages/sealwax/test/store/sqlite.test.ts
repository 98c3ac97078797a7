import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { features } from '../../src/features.ts'
import { connect } from '../../src/store/sqlite/connection.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { startAuth, tempDir } from '../server.ts'
import { client, NOW, openFile, secret, session, setName, user } from '../stores.ts'

const SUFFIXES = ['', '-wal', '-shm']
const modesOf = (file: string) => SUFFIXES.map((suffix) => statSync(file + suffix).mode & 0o777)

const AWAY = { code: 'temporarily_unavailable', status: 503 }

describe('the SQLite file', () => {
  it('is readable only by its owner, even if it existed before', async () => {
    await using opened = await openFile()
    await setName(opened.store, 'a')
    assert.deepEqual(modesOf(opened.file), [0o600, 0o600, 0o600])
    using dir = tempDir()
    const file = join(dir.path, 'made-before.db')
    writeFileSync(file, '', { mode: 0o644 })
    chmodSync(file, 0o644)
    const store = sqliteStore(file)
    await store.open({ features, migrate: 'auto' })
    assert.deepEqual(modesOf(file), [0o600, 0o600, 0o600])
    await store.close()
  })

  it('other users lose access to the database, its -wal and its -shm, even through a symlink', () => {
    using dir = tempDir()
    const [file, left] = [join(dir.path, 'store.db'), join(dir.path, 'left.db')]
    const running = new DatabaseSync(file)
    running.exec('pragma journal_mode = wal; create table t (x)')
    for (const suffix of SUFFIXES) {
      copyFileSync(file + suffix, left + suffix)
      chmodSync(left + suffix, 0o666)
    }
    running.close()
    symlinkSync(left, join(dir.path, 'link.db'))
    const umask = process.umask(0)
    const writer = connect(join(dir.path, 'link.db'), { readOnly: false })
    writer.exec('insert into t values (1)')
    process.umask(umask)
    assert.deepEqual(modesOf(left), [0o600, 0o600, 0o600])
    writer.close()
  })

  it('the mode is changed before the first pragma, so there is no race', () => {
    using dir = tempDir()
    const file = join(dir.path, 'store.db')
    using holder = new DatabaseSync(file)
    holder.exec('create table t (x); begin exclusive')
    chmodSync(file, 0o644)
    assert.throws(() => connect(file, { readOnly: false }), AWAY, 'the pragma fails because of the lock')
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('a file that is not a database keeps its mode', () => {
    using dir = tempDir()
    const file = join(dir.path, 'hosts')
    writeFileSync(file, '127.0.0.1 localhost\n'.repeat(100))
    chmodSync(file, 0o644)
    assert.throws(() => connect(file, { readOnly: false }))
    assert.equal(statSync(file).mode & 0o777, 0o644)
  })

  it('a file of another user that others can read is refused for writing with a message, but can be read', {
    skip: process.geteuid?.() !== 0 && 'only root can create a file of another user',
  }, () => {
    using dir = tempDir()
    chmodSync(dir.path, 0o755)
    const file = join(dir.path, 'store.db')
    const made = new DatabaseSync(file)
    made.exec('create table t (x)')
    made.close()
    chmodSync(file, 0o666)
    const refusal = {
      ...AWAY,
      message: `Other users can read the database ${file} (mode 0666), and its mode cannot be changed`,
    }
    asOrdinaryUser(() => {
      assert.throws(() => connect(file, { readOnly: false }), refusal)
      const reader = connect(file, { readOnly: true })
      assert.ok(reader.dataVersion() > 0)
      reader.close()
    })
    assert.equal(statSync(file).mode & 0o777, 0o666)
  })

  it('is opened with WAL, synchronous=FULL and no busy timeout', () => {
    using dir = tempDir()
    const writer = connect(join(dir.path, 'store.db'), { readOnly: false })
    // Only the writer sees its own pragmas, so it writes them to a table.
    writer.exec(
      'create table told as select j.journal_mode, s.synchronous, b.timeout from pragma_journal_mode j, pragma_synchronous s, pragma_busy_timeout b',
    )
    const reader = new DatabaseSync(join(dir.path, 'store.db'))
    assert.deepEqual(
      { ...reader.prepare('select * from told').get() },
      { journal_mode: 'wal', synchronous: 2, timeout: 0 },
    )
    reader.close()
    writer.close()
  })

  it('a path that is not a file is refused', async () => {
    for (const path of ['', undefined]) assert.throws(() => sqliteStore(path as string), /needs the path of a file/)
    using dir = tempDir()
    for (const path of [dir.path, join(dir.path, 'missing', 'store.db')]) {
      await assert.rejects(sqliteStore(path).open({ features, migrate: 'auto' }))
    }
  })

  it('a file that is not a database is refused and unchanged', async () => {
    using dir = tempDir()
    const file = join(dir.path, 'letter.txt')
    const letter = 'Dear Ann, this is not a database. '.repeat(100)
    writeFileSync(file, letter)
    await assert.rejects(sqliteStore(file).open({ features, migrate: 'auto' }))
    assert.equal(readFileSync(file, 'utf8'), letter)
  })
})

describe('the schema', () => {
  it('changed by a newer version is used if that version allows it, and refused with a message otherwise', async () => {
    for (const migrate of ['auto', 'off'] as const) {
      using dir = tempDir()
      const file = join(dir.path, 'store.db')
      const open = async () => {
        const store = sqliteStore(file)
        await store.open({ features, migrate })
        await store.close()
      }
      const first = sqliteStore(file)
      await first.open({ features, migrate: 'auto' })
      await first.close()
      const newer = new DatabaseSync(file)
      newer.exec("insert into migrations (name, timestamp) values ('0999-gadgets', '2030-01-01')")
      await open()
      newer.exec("update metadata set value = '0999-gadgets' where name = 'schema_needs'")
      newer.close()
      await assert.rejects(open(), { code: 'schema_newer', detail: /0999-gadgets.*Start the newer version/ })
    }
  })

  it("with migrate: 'off', an empty file is refused and a migrated one is opened", async () => {
    using dir = tempDir()
    const file = join(dir.path, 'store.db')
    await assert.rejects(sqliteStore(file).open({ features, migrate: 'off' }), { code: 'schema_outdated' })
    await assert.rejects(startAuth({ store: sqliteStore(file), migrate: 'off' }), { code: 'schema_outdated' })
    for (const migrate of ['auto', 'off', 'auto'] as const) {
      const store = sqliteStore(file)
      await store.open({ features, migrate })
      await store.close()
    }
  })

  it('is complete for all stores of one process that open a new file at the same time', async () => {
    using dir = tempDir()
    const stores = Array.from({ length: 4 }, () => sqliteStore(join(dir.path, 'store.db')))
    const started = performance.now()
    await Promise.all(stores.map((store) => store.open({ features, migrate: 'auto' })))
    assert.ok(performance.now() - started < 3000)
    for (const [i, store] of stores.entries()) await setName(store, `n${i}`)
    for (const store of stores) await store.close()
  })

  it('is complete for all threads that open a new file at the same time; they share the signing key and its standby', async () => {
    using dir = tempDir()
    const main = new URL('../../src/index.ts', import.meta.url)
    const sqlite = new URL('../../src/store/sqlite/index.ts', import.meta.url)
    const code = `
      import { parentPort } from 'node:worker_threads'
      import { createAuth } from '${main}'
      import { sqliteStore } from '${sqlite}'
      const auth = await createAuth({ issuer: 'http://127.0.0.1', audience: 'a', secret: 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3', store: sqliteStore(${JSON.stringify(join(dir.path, 'store.db'))}) })
      const keys = await (await auth.fetch(new Request('http://127.0.0.1/.well-known/jwks.json'))).json()
      parentPort.postMessage(keys.keys.map(({ kid }) => kid).join())
      await auth.close()`
    const started = Array.from(
      { length: 4 },
      () =>
        new Promise<string>((resolve, reject) => {
          const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
          worker.on('message', resolve).on('error', reject)
        }),
    )
    const kids = await Promise.all(started)
    assert.equal(new Set(kids).size, 1)
    assert.match(kids[0] ?? '', /^[\w-]{43},[\w-]{43}$/)
  })
})

describe('a file that a newer version migrates while it is open', () => {
  it('added columns do not change the rows that are returned', async () => {
    await using opened = await openFile()
    const { store, file } = opened
    await store.transaction(async (facts) => {
      await facts.users.insert(user('ann', { roles: ['admin'], ver: 7 }))
      await facts.sessions.insert(session('s', { subject: 'ann' }))
      await facts.clients.insert(client('c'))
      await facts.clients.insertSecret(secret('x', 'c', { expires_at: NOW }))
    })
    const { sessions, users, clients } = store.committed
    const read = async () => [
      await sessions.byId('s'),
      await sessions.list('ann', NOW),
      await users.byId('ann'),
      (await clients.withSecrets('c'))?.secrets,
    ]
    const before = await read()
    using newer = new DatabaseSync(file)
    newer.exec("alter table sessions add column gadget text default 'phone'")
    newer.exec("alter table users add column nickname text default 'Ann'")
    newer.exec("alter table clients add column homepage text default 'https://example.com'")
    assert.deepEqual(await read(), before)
  })
})

describe('a file that is temporarily not writable', () => {
  it('locked by another connection: a write waits without blocking the event loop, then succeeds; reads work', async () => {
    await using opened = await openFile()
    const holder = new DatabaseSync(opened.file)
    holder.exec('begin immediate')
    let done = false
    const write = setName(opened.store, 'a').then(() => {
      done = true
    })
    const started = performance.now()
    let ticks = 0
    for (; performance.now() - started < 300; ticks += 1) await delay(10)
    assert.ok(ticks >= 10 && !done)
    assert.equal(await opened.store.committed.metadata.get('a'), undefined)
    holder.exec('commit')
    holder.close()
    await write
    assert.equal(await opened.store.committed.metadata.get('a'), 'x')
  })

  it('locked for more than 5 s: writes get 503, no session ends, and writes work after the lock', async () => {
    await using server = await startAuth()
    const { refresh_token, access_token } = await server.auth.sessions.create({ subject: 'ann' })
    const holder = new DatabaseSync(server.file)
    holder.exec('begin immediate')
    const started = performance.now()
    const replies = await Promise.all([
      server.call('/refresh', { json: { refresh_token } }),
      server.call('/logout', { method: 'POST', token: access_token }),
      server.call('/me', { token: access_token }),
    ])
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body.code]),
      [
        [503, AWAY.code],
        [503, AWAY.code],
        [200, undefined],
      ],
    )
    assert.ok(performance.now() - started < 8000, 'the two writes wait at the same time')
    assert.ok(Number(replies[0].headers.get('Retry-After')) > 0)
    holder.exec('rollback')
    holder.close()
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
  })

  it('read-only: open fails as unavailable', async () => {
    using dir = tempDir()
    const file = join(dir.path, 'store.db')
    const made = sqliteStore(file)
    await made.open({ features, migrate: 'auto' })
    await made.close()
    chmodSync(file, 0o444)
    chmodSync(dir.path, 0o555)
    await assert.rejects(
      asOrdinaryUser(() => sqliteStore(file).open({ features, migrate: 'auto' })),
      AWAY,
    )
    chmodSync(dir.path, 0o755)
  })
})

/**
 * Runs `run` up to its first await without root privileges, since root can write read-only files.
 */
function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run()
  process.seteuid?.(65_534)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
  }
}
