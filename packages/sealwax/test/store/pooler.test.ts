import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { SECRET, standing } from '../server.ts'
import { session, user } from '../stores.ts'
import { startPgbouncer, withoutPgbouncer } from './pgbouncer.ts'

/** Set by the script that runs only this file. */
const isRequired = process.env.SEALWAX_TEST_POOLER === 'required'

/**
 * The pooler's server connections in transaction mode: fewer than the stores use, so that a store
 * gets connections that others have used.
 */
const SERVERS = 3

if (withoutPgbouncer !== undefined) {
  it('behind pgbouncer', { skip: !isRequired && `SKIPPED: ${withoutPgbouncer}` }, () => assert.fail(withoutPgbouncer))
} else {
  describe('behind pgbouncer', () => {
    let server: PostgresServer
    before(async () => {
      server = await startPostgres()
    })
    after(() => server.remove())

    for (const mode of ['transaction', 'session'] as const) {
      it(`${mode} mode, default configuration: two servers share a database, and one refuses what the other revokes`, async () => {
        const direct = await server.createDatabase({ search_path: 'nowhere', synchronous_commit: 'off' })
        await using pooler = await startPgbouncer(
          direct,
          mode,
          mode === 'transaction' ? [`default_pool_size = ${SERVERS}`] : [],
        )
        const url = pooler.through(direct)
        const lines: string[] = []
        const note = (_fields: object, message: string) => void lines.push(message)
        const logger = { debug() {}, info() {}, warn: note, error: note }
        const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, logger }
        const open = () => createAuth({ ...options, store: postgresStore(url, { connections: 3 }) })
        const [one, two] = await Promise.all([open(), open()])
        await using admin = adminOf(direct)
        try {
          const begun = await Promise.all(
            Array.from({ length: 12 }, (_, i) => (i % 2 ? one : two).sessions.create({ subject: `u-${i % 5}` })),
          )
          const [{ refresh_token: token = '', access_token }] = begun as [(typeof begun)[0]]
          const tabs = await Promise.all(
            Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).sessions.refresh(token)),
          )
          assert.equal(new Set(tabs.map(({ refresh_token }) => refresh_token)).size, 1, 'one successor')
          assert.equal(await standing(two, access_token), 'accepted')
          await one.sessions.revoke(begun[0]?.session.id as string)
          const since = performance.now()
          while ((await standing(two, access_token)) === 'accepted') {
            assert.ok(performance.now() - since < 2000, 'the other server refuses within about a second')
            await delay(20)
          }
          assert.equal(await standing(two, access_token), 'token_revoked')
          const nothing = Array.from({ length: SERVERS }, () => [0, 0, 0])
          if (mode === 'transaction') assert.deepEqual(await leftovers(url, SERVERS), nothing)
          const elsewhere = await admin.sql`select tablename from pg_tables where schemaname = 'public'`
          assert.deepEqual([...elsewhere], [])
          assert.equal(lines.filter((line) => /^There is a pooler before/.test(line)).length, 2, lines.join('\n'))
          assert.equal(lines.length, 2, lines.join('\n'))
        } finally {
          await Promise.all([one.close(), two.close()])
        }
      })
    }

    it('transactions use read committed and synchronous_commit, regardless of the defaults of the database', async () => {
      const url = await server.createDatabase({
        ...{ default_transaction_isolation: 'repeatable read', synchronous_commit: 'off' },
      })
      await using pooler = await startPgbouncer(url, 'transaction')
      const store = postgresStore(pooler.through(url), { connections: 3 })
      await store.open({ features, migrate: 'auto' })
      await using admin = adminOf(url)
      // Records the settings that apply within a transaction of the store.
      await admin.sql.unsafe(`
        create table public.seen (what text);
        create function look() returns trigger language plpgsql as $$ begin
          insert into public.seen values (current_setting('transaction_isolation') || ', ' || current_setting('synchronous_commit'));
          return new;
        end $$;
        create trigger look before insert on sealwax.users for each row execute function look()`)
      await store.transaction((facts) => facts.users.insert(user('ann')))
      assert.deepEqual([...(await admin.sql`select what from public.seen`)], [{ what: 'read committed, on' }])
      await store.close()
    })

    it('pgbouncer=true and pgbouncer=false skip the detection', async () => {
      const url = await server.createDatabase()
      const heard: string[] = []
      for (const parameters of ['?pgbouncer=true', '', '?pgbouncer=false']) {
        const store = postgresStore(`${url}${parameters}`)
        await store.open({ features, migrate: 'auto', warn: () => heard.push(parameters) })
        await store.transaction((facts) => facts.sessions.insert(session(`s${parameters}`)))
        await store.close()
      }
      assert.deepEqual(heard, ['?pgbouncer=true'])
    })

    it('with prepare=true, transactions may fail as unavailable, but not with other errors', async () => {
      const url = await server.createDatabase()
      await using pooler = await startPgbouncer(url, 'transaction', ['default_pool_size = 2'])
      const store = postgresStore(`${pooler.through(url)}?prepare=true`, { connections: 4 })
      await store.open({ features, migrate: 'auto' })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 60 }, (_, i) => store.transaction((facts) => facts.users.insert(user(`u${i}`)))),
      )
      const codes = new Set(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done')))
      codes.delete('done')
      codes.delete('temporarily_unavailable')
      assert.deepEqual([...codes], [])
      await store.close()
    })
  })
}

/** Connects to the database directly, without the pooler. */
function adminOf(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) }
}

/**
 * Prepared statements, listening channels and advisory locks on each of the pooler's server
 * connections.
 */
async function leftovers(pooled: string, connections: number): Promise<unknown[]> {
  const held = `select pid, statements, channels, locks from pg_sleep(0.1), pg_backend_pid() pid,
    (select count(*)::int as statements from pg_prepared_statements) s, (select count(*)::int as channels from pg_listening_channels()) c,
    (select count(*)::int as locks from pg_locks where locktype = 'advisory') l`
  const clients = Array.from({ length: connections }, () => postgres(pooled, { max: 1, fetch_types: false }))
  try {
    const found = await Promise.all(clients.map(async (client) => (await client.unsafe(held))[0]))
    assert.equal(new Set(found.map((row) => row?.pid)).size, connections, 'each connection is queried')
    return found.map((row) => [row?.statements, row?.channels, row?.locks])
  } finally {
    await Promise.all(clients.map((client) => client.end({ timeout: 1 })))
  }
}
