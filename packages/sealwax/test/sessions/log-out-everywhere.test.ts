import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createGuard, type Guard } from '@sealwax/guard'
import { unsafeDecode } from '@sealwax/jwt'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthOptions, type AuthServer, createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { call, listen, PASSWORD, SECOND, SECRET, standing, tempDir } from '../server.ts'
import { NOW, session } from '../stores.ts'

const MANY = 100_000
const PASSWORD_2 = 'quite another passphrase'

let server: Promise<PostgresServer> | undefined
after(async () => (await server)?.remove())

/** The databases. `store` opens another store on the same data, `run` executes SQL in it. */
const DATABASES = {
  async sqlite(directory: string) {
    const file = join(directory, 'auth.db')
    const run = async (text: string) => {
      using database = new DatabaseSync(file)
      database.exec(text)
    }
    const series = `(with recursive s(n) as (select 1 union all select n + 1 from s where n < ${MANY}) select n from s)`
    return { store: () => sqliteStore(file), run, series, schema: '' }
  },
  async postgres() {
    server ??= startPostgres()
    const url = await (await server).createDatabase()
    const run = async (text: string) => {
      const sql = postgres(url, { max: 1, onnotice: () => {} })
      await sql.unsafe(text)
      await sql.end()
    }
    const series = `generate_series(1, ${MANY}) as s(n)`
    return { store: () => postgresStore(url, { connections: 9 }), run, series, schema: 'sealwax.', url }
  },
}

interface Place extends AsyncDisposable {
  readonly url: string
  readonly auth: AuthServer
  /** The guard of another service. */
  readonly elsewhere: Guard
  readonly database: Awaited<ReturnType<(typeof DATABASES)['sqlite']>>
  /** Another process on the same database. */
  another(options?: Partial<AuthOptions>): Promise<AuthServer>
  ask(path: string, json: object, token?: string): ReturnType<typeof call>
}

/** A server on a real socket, and a remote guard that follows its feed. */
async function start(kind: keyof typeof DATABASES, options: Partial<AuthOptions> = {}): Promise<Place> {
  const directory = tempDir()
  const database = await DATABASES[kind](directory.path)
  let handler: ReturnType<typeof toNodeHandler> | undefined
  const listening = await listen((request, response) => handler?.(request, response))
  const opened: AuthServer[] = []
  const another: Place['another'] = async (changed = {}) => {
    const given = { issuer: listening.url, audience: 'api', secret: SECRET, store: database.store() }
    const auth = await createAuth({ ...given, ...options, ...changed })
    opened.push(auth)
    return auth
  }
  const auth = await another()
  handler = toNodeHandler(auth)
  const elsewhere = createGuard({ issuer: listening.url, audience: 'api' })
  return {
    ...{ url: listening.url, auth, elsewhere, database, another },
    ask: (path, json, token) => call(listening.url, path, { json, ...(token !== undefined && { token }) }),
    async [Symbol.asyncDispose]() {
      await elsewhere.close()
      await listening[Symbol.asyncDispose]()
      await Promise.all(opened.map((one) => one.close()))
      directory[Symbol.dispose]()
    },
  }
}

/** Checks the guard of the server immediately, and the remote guard a moment later. */
async function assertStanding({ auth, elsewhere }: Place, expected: string, token: string, name = ''): Promise<void> {
  assert.equal(await standing(auth, token), expected, `${name}, guard of the server`)
  await eventually(elsewhere, expected, token, name)
}

async function eventually(guard: Guard, expected: string, token: string, name = ''): Promise<void> {
  for (let i = 0; i < 300 && (await standing({ guard }, token)) !== expected; i += 1) await delay(10)
  assert.equal(await standing({ guard }, token), expected, `${name}, guard that reads the feed`)
}

interface Feed {
  readonly entries: readonly { readonly kind: string; readonly except?: string }[]
}

async function feedOf(url: string): Promise<{ size: number; kinds: string[]; entries: Feed['entries'] }> {
  const text = await (await fetch(`${url}/.well-known/revocations`)).text()
  const { entries } = JSON.parse(text) as Feed
  return { size: text.length, kinds: entries.map(({ kind }) => kind), entries }
}

/** Ways to begin a session of the subject `u`. */
const LOG_INS: Record<
  string,
  { options: Partial<AuthOptions>; begin(place: Place): Promise<{ access_token: string }> }
> = {
  'a built-in user': {
    options: {},
    async begin({ auth, ask }) {
      if ((await auth.users.get('u')) === undefined) {
        await auth.users.create({ id: 'u', email: 'u@example.com', password: PASSWORD })
      }
      return (await ask('/login', { email: 'u@example.com', password: PASSWORD })).body
    },
  },
  'a subject of sessions.create': {
    options: {},
    begin: ({ auth }) => auth.sessions.create({ subject: 'u', roles: ['teacher'] }),
  },
  'a subject of loadSubject': {
    options: { loadSubject: () => ({ roles: ['teacher'] }) },
    begin: ({ auth }) => auth.sessions.create({ subject: 'u' }),
  },
}

for (const kind of ['sqlite', 'postgres'] as const) {
  describe(`log-out everywhere: ${kind}`, () => {
    it('attack: a subject with 100,000 sessions adds one feed entry by logging out everywhere', async () => {
      await using place = await start(kind, { maxSessions: Number.POSITIVE_INFINITY })
      const { auth, database } = place
      const first = await auth.sessions.create({ subject: 'u' })
      const other = await auth.sessions.create({ subject: 'u' })
      const columns = await columnsOf(database)
      const values = columns.map((column) => (column === 'id' ? "'copy-' || n" : column))
      await database.run(
        `insert into ${database.schema}sessions (${columns.join()}) select ${values.join()} from ${database.schema}sessions, ${database.series}
          where id = '${first.session.id}'`,
      )
      const { status } = await place.ask('/logout', { scope: 'all' }, first.access_token)
      assert.equal(status, 204)
      const feed = await feedOf(place.url)
      assert.deepEqual(feed.kinds, ['sub'])
      assert.ok(feed.size < 500, `${feed.size} octets`)
      for (const { access_token } of [first, other]) await assertStanding(place, 'token_revoked', access_token)
      const { data } = await auth.audit.list({ type: 'sessions.ended', limit: 1 })
      assert.deepEqual(data[0]?.data, { reason: 'logout', count: MANY + 2 })
      assert.deepEqual(await auth.sessions.list('u'), [])
    })

    for (const [name, { options, begin }] of Object.entries(LOG_INS)) {
      it(`a log-in in the same second afterwards is accepted, and the next one ends that session too: ${name}`, async () => {
        // The clock does not move, so everything happens in the same second.
        const time = Date.now()
        await using place = await start(kind, { ...options, now: () => time })
        const tokens: string[] = []
        for (let i = 0; i < 3; i += 1) {
          const { access_token } = await begin(place)
          await assertStanding(place, 'accepted', access_token, `log-in ${i}`)
          tokens.push(access_token)
          assert.equal(await place.auth.sessions.revokeAll('u'), 1)
          for (const token of tokens) await assertStanding(place, 'token_revoked', token, `end ${i}`)
        }
      })
    }

    it('a log-in afterwards on a server whose clock is behind is accepted', async () => {
      await using place = await start(kind)
      const late = await place.another({ now: () => Date.now() - 20 * SECOND })
      const ahead = await place.another({ now: () => Date.now() + 20 * SECOND })
      const before = [await ahead.sessions.create({ subject: 'u' }), await late.sessions.create({ subject: 'u' })]
      await place.auth.sessions.revokeAll('u')
      const { access_token } = await late.sessions.create({ subject: 'u' })
      await assertStanding(place, 'accepted', access_token)
      for (const one of before) await assertStanding(place, 'token_revoked', one.access_token)
    })

    it('the excepted session stays valid, also after its next refresh, and introspection agrees', async () => {
      await using place = await start(kind)
      const { auth } = place
      await auth.users.create({ id: 'v', email: 'v@example.com', password: PASSWORD, roles: ['teacher'] })
      const machine = await auth.clients.create({ name: 'api', scopes: ['introspect'] })
      const active = async (token: string) => {
        const { id } = machine.client
        const body = new URLSearchParams({ token, client_id: id, client_secret: machine.secret })
        const reply = await fetch(`${place.url}/oauth/introspect`, { method: 'POST', body })
        return ((await reply.json()) as { active: boolean }).active
      }
      for (const subject of ['u', 'v']) {
        const kept = await auth.sessions.create({ subject })
        const gone = await auth.sessions.create({ subject })
        assert.equal(await auth.sessions.revokeAll(subject, { except: kept.session.id }), 1)
        await assertStanding(place, 'token_revoked', gone.access_token)
        const next = await auth.sessions.refresh(kept.refresh_token)
        assert.equal(await auth.sessions.revokeAll(subject, { except: kept.session.id }), 0)
        const later = await auth.sessions.create({ subject })
        assert.equal(await auth.sessions.revokeAll(subject, { except: kept.session.id }), 1)
        await assertStanding(place, 'token_revoked', later.access_token)
        for (const { access_token } of [kept, next]) {
          await assertStanding(place, 'accepted', access_token, subject)
          assert.equal(await active(access_token), true)
        }
        const last = await auth.sessions.create({ subject })
        assert.equal(await auth.sessions.revokeAll(subject, { except: last.session.id }), 1)
        await assertStanding(place, 'accepted', last.access_token)
        for (const { access_token } of [kept, next]) {
          await assertStanding(place, 'token_revoked', access_token)
          assert.equal(await active(access_token), false)
        }
      }
      assert.equal((await feedOf(place.url)).entries.length, 6)
    })

    it('attack: excepting a session that has ended or belongs to another subject is ignored', async () => {
      await using place = await start(kind)
      const { auth } = place
      const ended = await auth.sessions.create({ subject: 'u' })
      await auth.sessions.revokeAll('u')
      for (const except of [ended.session.id, (await auth.sessions.create({ subject: 'w' })).session.id, "it's", 'x']) {
        const live = await auth.sessions.create({ subject: 'u' })
        assert.equal(await auth.sessions.revokeAll('u', { except }), 1)
        for (const { access_token } of [ended, live]) await assertStanding(place, 'token_revoked', access_token)
      }
      const { entries } = await feedOf(place.url)
      assert.deepEqual(new Set(entries.map(({ except }) => except)), new Set([undefined]))
    })

    it('a user deleted and created again in the same second can log in, and earlier tokens stay refused', async () => {
      const time = Date.now()
      await using place = await start(kind, { now: () => time })
      const { auth } = place
      const old: string[] = []
      for (let i = 0; i < 3; i += 1) {
        await auth.users.create({ id: 'u', email: 'u@example.com', password: PASSWORD, roles: [`role-${i}`] })
        const { access_token, session } = await auth.sessions.create({ subject: 'u' })
        await assertStanding(place, 'accepted', access_token, String(i))
        for (const token of old) await assertStanding(place, 'token_revoked', token)
        await auth.users.setRoles('u', ['other'])
        await assertStanding(place, 'token_stale', access_token)
        old.push((await auth.sessions.create({ subject: 'u' })).access_token, access_token)
        // In round 1 no session is left when the user is deleted.
        if (i === 1) await auth.sessions.revokeAll('u')
        await auth.users.delete('u')
        assert.equal((await auth.sessions.list('u')).length, 0, session.id)
      }
    })

    it('a role change makes tokens stale that were issued by a server whose clock is ahead', async () => {
      await using place = await start(kind)
      await place.auth.users.create({ id: 'u', email: 'u@example.com', password: PASSWORD, roles: ['admin'] })
      const ahead = await place.another({ now: () => Date.now() + 30 * SECOND })
      const { access_token, refresh_token } = await ahead.sessions.create({ subject: 'u' })
      await assertStanding(place, 'accepted', access_token)
      await place.auth.users.setRoles('u', [])
      await assertStanding(place, 'token_stale', access_token)
      const fresh = await place.auth.sessions.refresh(refresh_token)
      await assertStanding(place, 'accepted', fresh.access_token)
      assert.equal(unsafeDecode(fresh.access_token).payload.roles, undefined)
    })

    it('a new password, disabling and deleting write one feed entry each, and none without a session', async () => {
      await using place = await start(kind)
      const { auth } = place
      const acts = [
        () => auth.users.update('u', { password: PASSWORD_2 }),
        () => auth.users.disable('u').then(() => auth.users.enable('u')),
        () => auth.users.delete('u'),
      ]
      await auth.users.create({ id: 'u', email: 'u@example.com', password: PASSWORD })
      for (const act of acts) {
        const sessions = [await auth.sessions.create({ subject: 'u' }), await auth.sessions.create({ subject: 'u' })]
        await act()
        for (const { access_token } of sessions) await assertStanding(place, 'token_revoked', access_token)
      }
      await auth.sessions.revokeAll('u')
      await auth.sessions.revokeAll('nobody')
      assert.deepEqual((await feedOf(place.url)).kinds, ['sub', 'sub', 'sub'])
    })

    it('a session from before versions were introduced ends as well', async () => {
      await using place = await start(kind)
      const { session, refresh_token } = await place.auth.sessions.create({ subject: 'u' })
      await place.database.run(`update ${place.database.schema}sessions set ver = null`)
      const { access_token } = await place.auth.sessions.refresh(refresh_token)
      assert.equal(unsafeDecode(access_token).payload.ver, undefined)
      await assertStanding(place, 'accepted', access_token)
      await place.auth.sessions.revokeAll('u', { except: session.id })
      await assertStanding(place, 'accepted', access_token)
      await place.auth.sessions.revokeAll('u')
      await assertStanding(place, 'token_revoked', access_token)
    })

    it('another process, and one started afterwards, refuse the same tokens', async () => {
      await using place = await start(kind)
      const running = await place.another()
      const kept = await place.auth.sessions.create({ subject: 'u' })
      const gone = await place.auth.sessions.create({ subject: 'u' })
      await place.auth.sessions.create({ subject: 'u' })
      await place.auth.sessions.revokeAll('u', { except: kept.session.id })
      for (const { guard } of [running, await place.another()]) {
        await eventually(guard, 'token_revoked', gone.access_token)
        await eventually(guard, 'accepted', kept.access_token)
      }
    })

    it('a concurrent log-in is either listed with valid tokens or has ended with revoked tokens', async () => {
      await using place = await start(kind)
      const processes = [place.auth, await place.another()]
      const begun: { access_token: string; refresh_token: string }[] = []
      for (let round = 0; round < 10; round += 1) {
        const begin = (i: number) => (processes[i % 2] as AuthServer).sessions.create({ subject: 'u' })
        const all = Array.from({ length: 8 }, (_, i) => begin(i))
        const end = processes.map((auth) => auth.sessions.revokeAll('u'))
        begun.push(...(await Promise.all(all)))
        await Promise.all(end)
      }
      const live = new Set((await place.auth.sessions.list('u')).map(({ id }) => id))
      await assertStanding(place, 'accepted', (await place.auth.sessions.create({ subject: 'u' })).access_token)
      for (const { access_token } of begun) {
        const isLive = live.has(unsafeDecode(access_token).payload.sid as string)
        await eventually(place.auth.guard, isLive ? 'accepted' : 'token_revoked', access_token)
        await eventually(place.elsewhere, isLive ? 'accepted' : 'token_revoked', access_token)
      }
    })
  })
}

it('sqlite: after an older copy is restored, remote guards accept new log-ins and refuse sessions that had been logged out', async () => {
  const directory = tempDir()
  const file = join(directory.path, 'auth.db')
  let handler: ReturnType<typeof toNodeHandler> | undefined
  await using listening = await listen((request, response) => handler?.(request, response))
  const options = { issuer: listening.url, audience: 'api', secret: SECRET }
  const open = async () => {
    const auth = await createAuth({ ...options, store: sqliteStore(file) })
    handler = toNodeHandler(auth)
    return auth
  }
  const first = await open()
  await first.users.create({ id: 'u', email: 'u@example.com', password: PASSWORD })
  const old = [await first.sessions.create({ subject: 'u' }), await first.sessions.create({ subject: 'own' })]
  await first.close()
  copyFileSync(file, `${file}.copy`)
  const second = await open()
  const elsewhere = createGuard({ issuer: listening.url, audience: 'api' })
  await second.sessions.revokeAll('u')
  await second.sessions.revokeAll('own')
  for (const { access_token } of old) await eventually(elsewhere, 'token_revoked', access_token)
  await second.close()
  for (const rest of ['', '-wal', '-shm']) rmSync(file + rest, { force: true })
  copyFileSync(`${file}.copy`, file)
  // As described in docs/stores.md.
  using restored = new DatabaseSync(file)
  restored.exec("delete from metadata where name = 'feed_epoch'")
  restored.close()
  // A real restore takes longer than this.
  await delay(2 * SECOND)
  const third = await open()
  for (const subject of ['u', 'own']) {
    const { access_token } = await third.sessions.create({ subject })
    await eventually(elsewhere, 'accepted', access_token, subject)
  }
  for (const { access_token } of old) assert.equal(await standing({ guard: elsewhere }, access_token), 'token_revoked')
  await elsewhere.close()
  await third.close()
  directory[Symbol.dispose]()
})

it('postgres: creating sessions while all sessions are ended causes no deadlock', async () => {
  const { url } = await DATABASES.postgres()
  const store = postgresStore(url)
  const auth = await createAuth({
    ...{ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store },
    loadSubject: () => ({}),
  })
  await auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
  const until = performance.now() + 700
  const again = async (act: () => Promise<unknown>) => {
    while (performance.now() < until) await act()
  }
  const create = () => again(() => auth.sessions.create({ subject: 'ann' }).catch(() => {}))
  await Promise.all([create(), create(), create(), again(() => auth.sessions.revokeAll('ann'))])
  await auth.close()
  const sql = postgres(url, { max: 1 })
  const [found] = await sql`select deadlocks::int from pg_stat_database where datname = current_database()`
  await sql.end()
  assert.equal(found?.deadlocks, 0)
})

it('postgres: ending all sessions waits for log-ins of the subject that are in progress; these do not wait for each other', async () => {
  const { store: open } = await DATABASES.postgres()
  await using closing = new AsyncDisposableStack()
  const store = open()
  await store.open({ features, migrate: 'auto' })
  closing.defer(() => store.close())
  const underWay = Promise.withResolvers<void>()
  closing.defer(() => underWay.resolve())
  const logIn = (id: string) =>
    store.transaction(async ({ subjectVersions, sessions }) => {
      await subjectVersions.read('ann')
      await underWay.promise
      await sessions.insert(session(id))
    })
  const logIns = [logIn('s-1'), logIn('s-2')]
  await delay(200)
  let count: number | undefined
  const end = store.transaction(async ({ subjectVersions, sessions }) => {
    await subjectVersions.lock('ann')
    count = (await sessions.endAll('ann', NOW, 'revoked')).count
  })
  await store.transaction(({ subjectVersions }) => subjectVersions.lock('bob'))
  await delay(200)
  assert.equal(count, undefined)
  underWay.resolve()
  await Promise.all([...logIns, end])
  assert.equal(count, 2)
})

/** The columns of a session in the database. */
async function columnsOf({ store }: Place['database']): Promise<string[]> {
  const opened = store()
  await opened.open({ features, migrate: 'off' })
  const [id] = (await opened.committed.sessions.list('u', Date.now())).map((row) => row.id)
  const { user: _, ...row } = (await opened.committed.sessions.byId(id as string)) ?? {}
  await opened.close()
  return Object.keys(row)
}
