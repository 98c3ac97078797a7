import assert from 'node:assert/strict'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Store } from '../../src/core/unit-of-work.ts'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres, unprivileged } from '../postgres.ts'
import { tempDir } from '../server.ts'
import { user } from '../stores.ts'

const temporary = tempDir()
let server: PostgresServer
before(async () => {
  const rules = join(temporary.path, 'pg_hba.conf')
  writeFileSync(rules, 'host all sealwax all trust\nhost all all all scram-sha-256\n')
  const { uid, gid } = unprivileged()
  for (const path of [temporary.path, rules]) if (uid !== undefined) chownSync(path, uid, gid as number)
  server = await startPostgres({ hba_file: rules, password_encryption: 'scram-sha-256' })
})
after(async () => {
  await server.remove()
  temporary[Symbol.dispose]()
})

let roles = 0

/** A new database, an administrator connection to it, and a role that may only log in. */
async function prepare() {
  const direct = new URL(await server.createDatabase())
  const sql = postgres(direct.href, { max: 1, onnotice: () => {} })
  roles += 1
  const role = `app${roles}`
  await sql.unsafe(`create role ${role} login password 'first'`)
  const url = new URL(direct)
  Object.assign(url, { username: role, password: 'first' })
  return {
    run: (statements: string) => sql.unsafe(statements),
    role,
    url: url.href,
    database: direct.pathname.slice(1),
    direct: direct.href,
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  }
}

async function opens(url: string, migrate: 'auto' | 'off' = 'auto'): Promise<void> {
  const store = postgresStore(url)
  await store.open({ features, migrate })
  await works(store, `${migrate}-${performance.now()}`)
  await store.close()
}

async function works(store: Store, id: string): Promise<void> {
  await store.transaction(async (facts) => {
    await facts.users.insert(user(id))
    await facts.revocations.append({ kind: 'sid', key: id, ver: null, until: 1 })
  })
  assert.equal((await store.committed.users.byId(id))?.id, id)
  await store.transaction((facts) => facts.users.delete(id))
}

/** Retries, because the first connections may be ones that were terminated. */
async function worksAgain(store: Store): Promise<void> {
  for (let left = 50; left > 0; left -= 1) {
    if (
      await works(store, 'a').then(
        () => true,
        () => false,
      )
    )
      return
    await delay(20)
  }
  await works(store, 'a')
}

const grantRows = (role: string) => `
  grant usage on schema sealwax to ${role};
  grant select, insert, update, delete on all tables in schema sealwax to ${role};
  grant usage on all sequences in schema sealwax to ${role}`

describe('a role with minimal privileges', () => {
  it('the server starts if the role owns the schema without CREATE, or may only read and write rows', async () => {
    await using one = await prepare()
    await one.run(`create schema sealwax authorization ${one.role}`)
    await opens(one.url)
    await opens(one.url, 'off')
    await using other = await prepare()
    await opens(other.direct)
    await other.run(grantRows(other.role))
    await opens(other.url)
    await opens(other.url, 'off')
  })

  it('the server starts if the role lost CREATE after the first start', async () => {
    await using one = await prepare()
    await one.run(`grant create on database ${one.database} to ${one.role}`)
    await opens(one.url)
    await one.run(`revoke create on database ${one.database} from ${one.role}`)
    await opens(one.url)
  })

  it('an older server, whose role has no privileges for the table of roles, still writes users', async () => {
    await using one = await prepare()
    await opens(one.direct)
    await one.run(`${grantRows(one.role)}; revoke all on sealwax.user_roles from ${one.role}`)
    const store = postgresStore(one.url)
    await store.open({ features, migrate: 'off' })
    const stored = () => one.run('select role, user_id from sealwax.user_roles order by role')
    await store.transaction((facts) => facts.users.insert(user('ann', { roles: ['a', 'b', 'a'] })))
    assert.deepEqual(
      [...(await stored())],
      [
        { role: 'a', user_id: 'ann' },
        { role: 'b', user_id: 'ann' },
      ],
    )
    await store.transaction((facts) => facts.users.setRoles('ann', ['c'], { least: 1, now: 1 }))
    assert.deepEqual([...(await stored())], [{ role: 'c', user_id: 'ann' }])
    await store.transaction((facts) => facts.users.delete('ann'))
    assert.deepEqual([...(await stored())], [])
    await store.close()
  })

  it('a schema changed by a newer version is used if that version allows it, and refused otherwise', async () => {
    await using prepared = await prepare()
    const { run, direct } = prepared
    await opens(direct)
    await run("insert into sealwax.migrations (name, timestamp) values ('0999-gadgets', '2030-01-01')")
    for (const migrate of ['auto', 'off'] as const) await opens(direct, migrate)
    await run("update sealwax.metadata set value = '0999-gadgets' where name = 'schema_needs'")
    for (const migrate of ['auto', 'off'] as const) {
      await assert.rejects(opens(direct, migrate), { code: 'schema_newer' })
    }
  })

  it('attack: tables and functions with the same names in a schema earlier in search_path are not used', async () => {
    await using one = await prepare()
    const tables = ['migrations', 'users', 'sessions', 'revocations', 'metadata', 'audit_events', 'signing_keys']
    const functions = ['hashtext(text)', 'pg_notify(text, text)', 'pg_advisory_xact_lock(int, int)', 'pg_backend_pid()']
    await one.run(`
      create schema evil;
      ${tables.map((table) => `create table evil.${table} (id text)`).join(';')};
      ${functions.map((name) => `create function evil.${name} returns int language plpgsql as $$ begin raise 'caught'; end $$`).join(';')};
      grant create on database ${one.database} to ${one.role};
      grant all on schema evil, public to ${one.role};
      grant all on all tables in schema evil to ${one.role};
      alter role ${one.role} set search_path to evil, public, pg_catalog`)
    const store = postgresStore(one.url)
    await store.open({ features, migrate: 'auto' })
    await works(store, 'a')
    await store.transaction((facts) => facts.subjectVersions.lock('a'))
    assert.equal((await store.committed.revocations.since(undefined, { now: 0, limit: 10 })).entries.length, 1)
    await store.close()
    const elsewhere = `select tablename from pg_catalog.pg_tables where schemaname = 'public' union all select id from evil.users`
    assert.deepEqual([...(await one.run(elsewhere))], [])
  })

  it('the error message names the missing privilege', async () => {
    await using one = await prepare()
    const refused = async (message: string, migrate: 'auto' | 'off' = 'auto') =>
      assert.rejects(opens(one.url, migrate), { code: 'schema_outdated', message })
    await refused(
      'The database user may not create the schema sealwax: create it with this user as its owner, or grant CREATE on the database',
    )
    await one.run(`create schema sealwax; grant usage on schema sealwax to ${one.role}`)
    await refused('The database user may not change the schema sealwax: start once as its owner')
    await one.run(`revoke usage on schema sealwax from ${one.role}`)
    await opens(one.direct)
    const rows =
      'The database user may not read the schema sealwax: grant it USAGE on the schema and its sequences, and SELECT, INSERT, UPDATE and DELETE on its tables'
    for (const mode of ['auto', 'off'] as const) await refused(rows, mode)
    await one.run(`${grantRows(one.role)}; delete from sealwax.migrations where name >= '0007'`)
    await refused('The database user may not change the schema sealwax: start once as its owner')
    await one.run(`grant create on schema sealwax to ${one.role}`)
    await refused('The database user may not change the schema sealwax: start once as its owner')
  })
})

describe('a running server', () => {
  it('is unavailable while the database rejects its connections or statements, and then recovers', async () => {
    await using one = await prepare()
    await one.run(`create schema sealwax authorization ${one.role}`)
    const store = postgresStore(one.url)
    await store.open({ features, migrate: 'auto' })
    const { role, database } = one
    const everyone = `select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '${role}'`
    const others = postgres(new URL('/postgres', one.direct).href, { max: 1, onnotice: () => {} })
    const troubles: Record<string, [trouble: string, remedy: string]> = {
      'changed password': [`alter role ${role} password 'second'`, `alter role ${role} password 'first'`],
      NOLOGIN: [`alter role ${role} nologin`, `alter role ${role} login`],
      'no connection left for the role': [
        `alter role ${role} connection limit 0`,
        `alter role ${role} connection limit -1`,
      ],
      'no CONNECT privilege': [
        `revoke connect on database ${database} from public`,
        `grant connect on database ${database} to public`,
      ],
      'no privileges on the schema': [`alter schema sealwax owner to sealwax`, `alter schema sealwax owner to ${role}`],
      'read-only': [`alter role ${role} set default_transaction_read_only to on`, `alter role ${role} reset all`],
      'statement timeout': [
        `alter role ${role} set statement_timeout to 1; create rule r as on insert to sealwax.users do also select pg_sleep(0.1)`,
        `alter role ${role} reset all; drop rule r on sealwax.users`,
      ],
    }
    for (const [name, [trouble, remedy]] of Object.entries(troubles)) {
      await one.run(`${trouble}; ${everyone}`)
      const failed = await Promise.allSettled([
        works(store, 'a'),
        works(store, 'b'),
        store.committed.userLists.list({ limit: 1 }),
      ])
      const codes = failed.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'))
      // Reads may still work; writes must fail.
      assert.deepEqual(codes.slice(0, 2), ['temporarily_unavailable', 'temporarily_unavailable'], name)
      assert.ok(['temporarily_unavailable', 'done'].includes(codes[2]), `${name}: ${codes[2]}`)
      await one.run(`${remedy}; ${everyone}`)
      await worksAgain(store)
    }
    await one[Symbol.asyncDispose]()
    await others.unsafe(everyone)
    await others.unsafe(`alter database ${database} rename to ${database}_away`)
    await assert.rejects(works(store, 'a'), { code: 'temporarily_unavailable' })
    await others.unsafe(`alter database ${database}_away rename to ${database}`)
    await worksAgain(store)
    await others.end()
    await store.close()
  })

  it('reruns a transaction whose statement was prepared before another server migrated the schema', async () => {
    await using one = await prepare()
    const store = postgresStore(one.direct, { connections: 3 })
    await store.open({ features, migrate: 'auto' })
    await store.transaction((facts) => facts.users.byId('a'))
    await one.run('alter table sealwax.users add column later text')
    await store.transaction(async (facts) => {
      await facts.users.byId('a')
      await facts.users.insert(user('a'))
    })
    await store.close()
  })
})
