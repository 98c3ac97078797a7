import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Store } from '../src/store/contract/store.ts'
import { connect } from '../src/store/sqlite/connection.ts'
import { sqliteStore } from '../src/store/sqlite/index.ts'
import { startAuth, tempDir } from './server.ts'
import { client, NOW, secret, session, user } from './stores.ts'

const AWAY = { code: 'temporarily_unavailable', status: 503 }

interface Opened extends AsyncDisposable {
  store: Store
  file: string
}

async function openStore(): Promise<Opened> {
  const dir = tempDir()
  const file = join(dir.path, 'store.db')
  const store = sqliteStore(file)
  await store.open({ migrate: 'auto' })
  const close = async () => {
    await store.close()
    dir[Symbol.dispose]()
  }
  return { store, file, [Symbol.asyncDispose]: close }
}

function setName(store: Store, name: string): Promise<string> {
  return store.transaction((facts) => facts.metadata.getOrSet(name, 'x'))
}

/** Counts the commits in a write-ahead log: frames that carry the size of the database (https://sqlite.org/fileformat.html#the_write_ahead_log). */
function commitsIn(file: string): number {
  const wal = readFileSync(`${file}-wal`)
  const salt = wal.subarray(16, 24)
  const frame = 24 + wal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + frame <= wal.length; at += frame) {
    if (wal.subarray(at + 8, at + 16).equals(salt) && wal.readUInt32BE(at + 4) > 0) commits += 1
  }
  return commits
}

describe('the SQLite file', () => {
  it('is readable by its owner alone, also when somebody made it before', async () => {
    await using opened = await openStore()
    await setName(opened.store, 'a')
    for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(opened.file + suffix).mode & 0o777, 0o600, suffix)
    using dir = tempDir()
    const file = join(dir.path, 'made-before.db')
    writeFileSync(file, '', { mode: 0o644 })
    chmodSync(file, 0o644)
    const store = sqliteStore(file)
    await store.open({ migrate: 'auto' })
    for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(file + suffix).mode & 0o777, 0o600, suffix)
    await store.close()
  })

  it('is written through to the disk: WAL, synchronous=FULL, no busy wait', () => {
    using dir = tempDir()
    const writer = connect(join(dir.path, 'store.db'), { readOnly: false })
    // The writer answers by what it writes: a table made of its own pragmas.
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

  it('100 units at once share a few commits', async () => {
    await using opened = await openStore()
    await setName(opened.store, 'before')
    const before = commitsIn(opened.file)
    await Promise.all(Array.from({ length: 100 }, (_, i) => setName(opened.store, `n${i}`)))
    const commits = commitsIn(opened.file) - before
    assert.ok(commits >= 1 && commits <= 3, `${commits} commits`)
    await setName(opened.store, 'after')
    assert.equal(commitsIn(opened.file) - before - commits, 1)
  })

  it('units that keep coming share a commit for three turns of the event loop, and no longer', async () => {
    await using opened = await openStore()
    const before = commitsIn(opened.file)
    const units: Promise<string>[] = []
    for (let turn = 0; turn < 12; turn++) {
      units.push(setName(opened.store, `name ${turn}`), setName(opened.store, `other name ${turn}`))
      await new Promise((passed) => setImmediate(passed))
    }
    await Promise.all(units)
    assert.equal(commitsIn(opened.file) - before, 4)
  })

  it('a unit that comes alone is committed after one turn of the event loop', async () => {
    await using opened = await openStore()
    const before = commitsIn(opened.file)
    const unit = setName(opened.store, 'alone')
    await new Promise((passed) => setImmediate(passed))
    await new Promise((passed) => setImmediate(passed))
    assert.equal(commitsIn(opened.file) - before, 1)
    await unit
  })

  it('a path that is no file is refused', async () => {
    for (const path of [':memory:', '']) assert.throws(() => sqliteStore(path), TypeError)
    using dir = tempDir()
    for (const path of [dir.path, join(dir.path, 'missing', 'store.db')]) {
      await assert.rejects(sqliteStore(path).open({ migrate: 'auto' }))
    }
  })

  it('a file that is no database is refused, and left as it was', async () => {
    using dir = tempDir()
    const file = join(dir.path, 'letter.txt')
    const letter = 'Dear Ann, this is not a database. '.repeat(100)
    writeFileSync(file, letter)
    await assert.rejects(sqliteStore(file).open({ migrate: 'auto' }))
    assert.equal(readFileSync(file, 'utf8'), letter)
  })
})

describe('the schema', () => {
  it("migrate: 'off' refuses an empty file, and opens a migrated one", async () => {
    using dir = tempDir()
    const file = join(dir.path, 'store.db')
    await assert.rejects(sqliteStore(file).open({ migrate: 'off' }), { code: 'schema_outdated' })
    await assert.rejects(startAuth({ store: sqliteStore(file), migrate: 'off' }), { code: 'schema_outdated' })
    for (const migrate of ['auto', 'off', 'auto'] as const) {
      const store = sqliteStore(file)
      await store.open({ migrate })
      await store.close()
    }
  })

  it('stores of one process that open one new file at once all find the schema', async () => {
    using dir = tempDir()
    const stores = Array.from({ length: 4 }, () => sqliteStore(join(dir.path, 'store.db')))
    const started = performance.now()
    await Promise.all(stores.map((store) => store.open({ migrate: 'auto' })))
    assert.ok(performance.now() - started < 3000)
    for (const [i, store] of stores.entries()) await setName(store, `n${i}`)
    for (const store of stores) await store.close()
  })

  it('threads that open one new file at once all find the schema, and agree on the signing key and its standby', async () => {
    using dir = tempDir()
    const main = new URL('../src/index.ts', import.meta.url)
    const sqlite = new URL('../src/store/sqlite/index.ts', import.meta.url)
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

describe('a file that a newer version migrates meanwhile', () => {
  it('columns that are added shift nothing in what is read', async () => {
    await using opened = await openStore()
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
    newer.exec("alter table sessions add column device text default 'phone'")
    newer.exec("alter table users add column name text default 'Ann'")
    newer.exec("alter table clients add column homepage text default 'https://example.com'")
    assert.deepEqual(await read(), before)
  })
})

describe('a file that cannot be written now', () => {
  it('held by another connection: waits without freezing the process, then succeeds; reads go on', async () => {
    await using opened = await openStore()
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

  it('held for more than 5 s: 503, nobody is logged out, and afterwards it goes on', async () => {
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
    assert.ok(performance.now() - started < 8000, 'the second does not wait as long again')
    assert.ok(Number(replies[0].headers.get('Retry-After')) > 0)
    holder.exec('rollback')
    holder.close()
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
  })

  it('read-only: unavailable', async () => {
    using dir = tempDir()
    const file = join(dir.path, 'store.db')
    const made = sqliteStore(file)
    await made.open({ migrate: 'auto' })
    await made.close()
    chmodSync(file, 0o444)
    chmodSync(dir.path, 0o555)
    await assert.rejects(
      asOrdinaryUser(() => sqliteStore(file).open({ migrate: 'auto' })),
      AWAY,
    )
    chmodSync(dir.path, 0o755)
  })

  it('batches in which some units throw: exactly what was acknowledged is there, once, and each hears its own error', async () => {
    await using opened = await openStore()
    const { store } = opened
    const acknowledged: string[] = []
    for (let batch = 0; batch < 60; batch += 1) {
      const units = Array.from({ length: 1 + (batch % 13) }, async (_, i) => {
        const type = `${batch}-${i}`
        const throws = (batch * 7 + i * 5) % 11 === 0
        const rest = { time: NOW, subject: null, session_id: null, ip: null, user_agent: null, data: {} }
        const unit = store.transaction(async (facts) => {
          await facts.audit.append({ type, ...rest })
          if (throws) throw new Error(`of ${type}`)
          return type
        })
        if (throws) return assert.rejects(unit, { message: `of ${type}` })
        acknowledged.push(await unit)
      })
      await Promise.all(units)
    }
    const found: string[] = []
    for (let before = Infinity; ; ) {
      const page = await store.committed.audit.list({ limit: 100, ...(before < Infinity && { before }) })
      if (page.length === 0) break
      found.push(...page.map(({ type }) => type))
      before = page.at(-1)?.id ?? 0
    }
    assert.ok(acknowledged.length > 300)
    assert.deepEqual(found.sort(), acknowledged.sort())
  })

  it('rolled back by SQLite itself: the units of that moment hear why, none is half written, and afterwards it goes on', async () => {
    await using opened = await openStore()
    const { store } = opened
    rollBackWhenNamed(opened.file, 'second')
    const unit = store.transaction(async (facts) => {
      await facts.metadata.getOrSet('first', 'x')
      await facts.metadata.getOrSet('second', 'x')
    })
    const others = [setName(store, 'other'), setName(store, 'another')]
    for (const one of [unit, ...others]) await assert.rejects(one, /no room/)
    for (const name of ['first', 'second', 'other', 'another']) {
      assert.equal(await store.committed.metadata.get(name), undefined)
    }
    assert.equal(await setName(store, 'later'), 'x')
  })

  it('rolled back by SQLite itself, and a unit swallows that: those behind it are unavailable and have written nothing', async () => {
    await using opened = await openStore()
    const { store } = opened
    rollBackWhenNamed(opened.file, 'second')
    const before = setName(store, 'before')
    const swallowing = store.transaction((facts) => facts.metadata.getOrSet('second', 'x').catch(() => 'swallowed'))
    const behind = setName(store, 'behind')
    for (const one of [before, swallowing, behind]) await assert.rejects(one, AWAY)
    for (const name of ['before', 'behind']) assert.equal(await store.committed.metadata.get(name), undefined)
    assert.equal(await setName(store, 'later'), 'x')
  })
})

/** A trigger fails as a full disk may in the middle of a unit: SQLite reports an error and has rolled everything back. */
function rollBackWhenNamed(file: string, name: string): void {
  const admin = new DatabaseSync(file)
  admin.exec(
    `create trigger full before insert on metadata when new.name = '${name}' begin select raise(rollback, 'no room'); end`,
  )
  admin.close()
}

/** Runs the first, synchronous part of something without the rights of root, to whom no file is read-only. */
function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run()
  process.seteuid?.(65_534)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
  }
}
