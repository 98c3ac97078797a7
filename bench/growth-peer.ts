import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { createGuard, type Guard } from '@sealwax/guard'
import { createLocalJWKSet, type JwkSetSource } from '@sealwax/jwt'
import postgres from 'postgres'
import { type AuthServer, createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { postgresStore } from 'sealwax/postgres'
import { sqliteStore } from 'sealwax/sqlite'
import type { Store } from '../packages/sealwax/src/core/unit-of-work.ts'
import { purgeSessions } from '../packages/sealwax/src/sessions/end.ts'
import { answer } from './child.ts'
import { OURS, PASSWORD } from './installation.ts'

// Runs a server whose database is filled first, or guards that follow the feed of that server.

const DAY = 86_400_000
const EMAIL = 'user@example.com'

export interface Fill {
  readonly users: number
  readonly sessions: number
  readonly revocations: number
  readonly events: number
}

function storeOf(database: string): Store {
  return database.startsWith('postgres:') ? postgresStore(database) : sqliteStore(database)
}

/**
 * Inserts copies of one user and one session, and audit rows, with SQL that both databases accept.
 * The SQL for revocations is only for SQLite.
 */
async function fill(database: string, { users, sessions, revocations, events }: Fill): Promise<void> {
  const auth = await createAuth({ ...OURS, store: storeOf(database) })
  await auth.users.create({ id: 'user', email: EMAIL, password: PASSWORD })
  await auth.sessions.create({ subject: 'user' })
  await auth.close()
  const until = Math.floor(Date.now() / 1000) + 7200
  await inSql(database, (series, schema, columns) => [
    `insert into ${schema}users (${columns.users}) select ${columns.users
      .replace(/\bid\b/, "'u' || n")
      .replace(/\bemail\b/, "'u' || n || '@example.com'")} from ${schema}users, ${series(users)} where id = 'user'`,
    `insert into ${schema}sessions (${columns.sessions}) select ${columns.sessions
      .replace(/\bid\b/, "'s' || n")
      .replace(/\bsubject\b/, "'u' || n")} from ${schema}sessions, ${series(sessions)} where subject = 'user'`,
    ...(revocations > 0
      ? [`insert into revocations (kind, key, until) select 'sid', ${SESSION_ID}, ${until} from ${series(revocations)}`]
      : []),
    `insert into ${schema}audit_events (time, type, subject, data) select ${Date.now()}, 'session.created', 'u' || n, '{}' from ${series(events)}`,
  ])
}

/** A random string in the form of a session id, 16 bytes in base64url, as an SQLite expression. */
const SESSION_ID = `substr(lower(hex(randomblob(11))), 2) || substr('AQgw', 1 + (abs(random()) % 4), 1)`

type Statements = (
  series: (count: number) => string,
  schema: string,
  columns: Readonly<Record<'users' | 'sessions', string>>,
) => readonly string[]

async function inSql(database: string, statements: Statements): Promise<void> {
  if (!database.startsWith('postgres:')) {
    const file = new DatabaseSync(database)
    const columnsOf = (table: string) =>
      file
        .prepare('select name from pragma_table_info(?)')
        .all(table)
        .map(({ name }) => name)
        .join(', ')
    const series = (count: number) =>
      `(with recursive s(n) as (select 1 union all select n + 1 from s where n < ${count}) select n from s)`
    const columns = { users: columnsOf('users'), sessions: columnsOf('sessions') }
    for (const text of statements(series, '', columns)) file.exec(text)
    file.close()
    return
  }
  const sql = postgres(database, { max: 1, onnotice: () => {} })
  const columnsOf = async (table: string) => {
    const found = await sql`select column_name as name from information_schema.columns
      where table_schema = 'sealwax' and table_name = ${table}`
    return found.map(({ name }) => name).join(', ')
  }
  const columns = { users: await columnsOf('users'), sessions: await columnsOf('sessions') }
  for (const text of statements((count) => `generate_series(1, ${count}) s(n)`, 'sealwax.', columns))
    await sql.unsafe(text)
  await sql.unsafe('analyze')
  await sql.end()
}

async function server(database: string): Promise<void> {
  let auth: AuthServer | undefined
  let store: Store | undefined
  const opened = () => auth as AuthServer
  const listener = createServer()
  listener.keepAliveTimeout = 600_000
  answer({
    fill: (how: Fill) => fill(database, how),
    async open(): Promise<number> {
      store = storeOf(database)
      auth = await createAuth({ ...OURS, refreshGrace: 0, store })
      listener.on('request', toNodeHandler(auth))
      await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready))
      return (listener.address() as AddressInfo).port
    },
    async sessions({ count }: { count: number }): Promise<string[]> {
      const made: string[] = []
      for (let i = 0; i < count; i += 1)
        made.push((await opened().sessions.create({ subject: `new ${i}` })).refresh_token)
      return made
    },
    memory: () => process.memoryUsage.rss() / 2 ** 20,
    async audit({ query }: { query: object }): Promise<number> {
      const began = performance.now()
      for (let i = 0; i < 20; i += 1) await opened().audit.list({ limit: 50, ...query })
      return (performance.now() - began) / 20
    },
    /** Ends all sessions, each of a different user, and returns the time in seconds. */
    async end(): Promise<number> {
      const [key] = (await opened().keys.list()).filter(({ state }) => state === 'signing')
      const began = performance.now()
      const { sessions } = await opened().keys.revoke(key?.kid as string, { endSessions: true })
      const seconds = (performance.now() - began) / 1000
      if (sessions < 1) throw new Error('no session was ended')
      return seconds
    },
    async age({ count }: { count: number }): Promise<void> {
      await inSql(database, (_series, schema) => [
        `update ${schema}sessions set ended_at = 1 where id in (select id from ${schema}sessions where subject like 'u%' limit ${count})`,
      ])
    },
    async purge(): Promise<number> {
      const began = performance.now()
      await purgeSessions({ store: store as Store, now: () => Date.now() + DAY }, new AbortController().signal)
      return (performance.now() - began) / 1000
    },
  })
}

/** Runs guards, each of which follows the feed with its own connection. */
async function guards(port: number, count: number): Promise<void> {
  const base = `http://127.0.0.1:${port}`
  const keys = createLocalJWKSet((await (await fetch(`${base}/.well-known/jwks.json`)).json()) as JwkSetSource)
  const following: Guard[] = []
  answer({
    /** Resolves with the seconds until the last guard has read the whole list. */
    async follow(): Promise<number> {
      const began = performance.now()
      await Promise.all(
        Array.from({ length: count }, () => {
          const { promise, resolve } = Promise.withResolvers<void>()
          const onFeed = ({ age }: { age: number }) => age < 60_000 && resolve()
          const revocation = { url: `${base}/.well-known/revocations`, onFeed }
          const guard = createGuard({ issuer: OURS.issuer, audience: OURS.audience, keys, revocation })
          following.push(guard)
          void (async () => guard.authenticate({ headers: { authorization: 'Bearer x' } }))().catch(() => {})
          return promise
        }),
      )
      return (performance.now() - began) / 1000
    },
    async close() {
      await Promise.all(following.map((guard) => guard.close()))
    },
  })
}

const [role, where = '', count] = process.argv.slice(2)
if (role === 'server') await server(where)
else await guards(Number(where), Number(count))
