import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Conflict } from '../../src/core/unit-of-work.ts'
import { features } from '../../src/features.ts'
import { NOW, STORES, user } from '../stores.ts'

for (const [name, open] of Object.entries(STORES)) {
  describe(`store contract: ${name}`, () => {
    it('signing keys: list is ordered by sequence; a taken sequence is a Conflict', async () => {
      await using opened = await open()
      const { store } = opened
      const key = (sequence: number, kid: string) => ({
        ...{ sequence, kid, alg: 'ES256', public_jwk: sequence === 1 ? { kty: 'EC' } : null },
        ...{ private_jwk: Uint8Array.of(9, 9), created_at: NOW, signs_from: NOW },
        ...{ revoked_at: null, access_ttl: 900_000, announced: 'published' },
      })
      for (const each of [key(2, 'b'), key(1, 'a')]) await store.transaction((facts) => facts.signingKeys.insert(each))
      await assert.rejects(
        store.transaction((facts) => facts.signingKeys.insert(key(2, 'c'))),
        Conflict,
      )
      const listed = await store.committed.signingKeys.list()
      assert.deepEqual(
        listed.map(({ kid, public_jwk, private_jwk }) => [kid, public_jwk, [...private_jwk]]),
        [
          ['a', { kty: 'EC' }, [9, 9]],
          ['b', null, [9, 9]],
        ],
      )
    })

    it('revocations: a cursor continues at its position, also after a purge and in another store', async () => {
      await using opened = await open()
      const { store } = opened
      const entry = (key: string, until: number) => ({ kind: 'sid' as const, key, ver: null, until })
      const append = (key: string, until = 100) =>
        store.transaction((facts) => facts.revocations.append(entry(key, until)))
      const keys = async (cursor: string | undefined, now = 50) => {
        const page = await store.committed.revocations.since(cursor, { now, limit: 100 })
        return { keys: page.entries.map(({ key }) => key), cursor: page.cursor }
      }
      const empty = await keys(undefined)
      assert.deepEqual(empty.keys, [])
      await append('a')
      await append('past', 50)
      const first = await keys(empty.cursor)
      assert.deepEqual(first.keys, ['a'])
      await append('b')
      const purge = () => store.transaction((facts) => facts.revocations.purge(100, 2))
      assert.deepEqual([await purge(), await purge(), await purge()], [2, 1, 0])
      await append('c', 200)
      const second = await (await opened.another()).committed.revocations.since(first.cursor, { now: 50, limit: 100 })
      assert.deepEqual(second.entries, [{ ...entry('c', 200), except_sid: null }])
      assert.deepEqual((await keys(undefined)).keys, ['c'])
    })

    it('revocations: an entry is returned with its excepted session', async () => {
      await using opened = await open()
      const { store } = opened
      const entry = { kind: 'sub', key: 'k', ver: 7, until: 100, except_sid: 's-1' } as const
      await store.transaction((facts) => facts.revocations.append(entry))
      assert.deepEqual((await store.committed.revocations.since(undefined, { now: 50, limit: 100 })).entries, [entry])
    })

    it('revocations: many entries appended together are returned unchanged, in order', async () => {
      await using opened = await open()
      const { store } = opened
      const sids = Array.from({ length: 300 }, (_, i) => ({
        ...({ kind: 'sid', key: `s-"${i}`, ver: null, until: 100 + i, except_sid: null } as const),
      }))
      const entries = [...sids, { kind: 'sub', key: 'k', ver: 7, until: 100, except_sid: 's-1' } as const]
      await store.transaction((facts) => facts.revocations.append(...entries))
      await store.transaction((facts) => facts.revocations.append())
      assert.deepEqual((await store.committed.revocations.since(undefined, { now: 50, limit: 999 })).entries, entries)
    })

    it('subject versions: the last one set applies until it expires', async () => {
      await using opened = await open()
      const { store } = opened
      const set = (subject: string, ver: number, until: number) =>
        store.transaction((facts) => facts.subjectVersions.set(subject, ver, until))
      const read = (subject: string) =>
        store.transaction(async ({ subjectVersions }) => [
          await subjectVersions.read(subject),
          await subjectVersions.lock(subject),
        ])
      assert.deepEqual(await read('ann'), [undefined, undefined])
      await set('ann', 7, 100)
      await set('ann', 9, 101)
      for (const subject of ['bob', 'cid', 'dan', "o'neil"]) await set(subject, 1, 100)
      assert.deepEqual(
        [await read('ann'), await read('bob'), await read("o'neil")],
        [
          [9, 9],
          [1, 1],
          [1, 1],
        ],
      )
      const purge = (now: number) => store.transaction((facts) => facts.subjectVersions.purge(now, 3))
      assert.deepEqual([await purge(99), await purge(100), await purge(100), await purge(100)], [0, 3, 1, 0])
      assert.deepEqual(
        [await read('ann'), await read('bob')],
        [
          [9, 9],
          [undefined, undefined],
        ],
      )
    })

    it('audit: list returns the newest first, in pages, filtered by subject and type', async () => {
      await using opened = await open()
      const { store } = opened
      const event = (type: string, subject: string | null) => ({
        time: NOW,
        type,
        subject,
        session_id: 's',
        ip: null,
        user_agent: 'é',
        data: { a: [1] },
      })
      for (const each of [event('x', 'ann'), event('y', 'ann'), event('x', null)])
        await store.transaction((facts) => facts.audit.append(each))
      const all = await store.committed.audit.list({ limit: 10 })
      assert.deepEqual(
        all.map(({ id: _, ...rest }) => rest),
        [event('x', null), event('y', 'ann'), event('x', 'ann')].map((each) => ({ ...each, count: 1, repeats: null })),
      )
      const types = async (page: object) =>
        (await store.committed.audit.list({ limit: 10, ...page })).map(({ type, subject }) => `${type} ${subject}`)
      assert.deepEqual(await types({ limit: 1 }), ['x null'])
      assert.deepEqual(await types({ before: all[0]?.id }), ['y ann', 'x ann'])
      assert.deepEqual([await types({ subject: 'ann', type: 'x' }), await types({ subject: 'x' })], [['x ann'], []])
    })

    it('metadata: getOrSet keeps the first value', async () => {
      await using opened = await open()
      const { store } = opened
      const set = (value: string) => store.transaction((facts) => facts.metadata.getOrSet('name', value))
      assert.deepEqual(
        [await store.committed.metadata.get('name'), await set('one'), await set('two')],
        [undefined, 'one', 'one'],
      )
      assert.equal(await store.committed.metadata.get('name'), 'one')
    })

    it('transactions: only those that throw are rolled back; concurrent ones commit', async () => {
      await using opened = await open()
      const { store } = opened
      const insert = (id: string, fails: boolean) =>
        store.transaction(async (facts) => {
          await facts.users.insert(user(id))
          if (fails) throw new Error(`unit ${id} failed`)
          return id
        })
      const settled = await Promise.allSettled([
        insert('a', false),
        insert('b', true),
        insert('c', false),
        insert('a', false),
      ])
      const [first, failed, third, second] = settled
      assert.deepEqual([failed?.status, third?.status], ['rejected', 'fulfilled'])
      assert.match(String((failed as PromiseRejectedResult).reason), /unit b failed/)
      // Either of the two transactions that insert the same id may succeed.
      const taken = [first, second].filter((each) => each?.status === 'rejected')
      assert.equal(taken.length, 1)
      assert.ok((taken[0] as PromiseRejectedResult).reason instanceof Conflict)
      assert.deepEqual(
        (await store.committed.userLists.list({ limit: 9 })).map(({ id }) => id),
        ['a', 'c'],
      )
    })

    it('transactions: writes are visible inside before the commit, outside only after it', async () => {
      await using opened = await open()
      const { store } = opened
      const seen = await store.transaction(async (facts) => {
        await facts.users.insert(user('ann'))
        return { inside: (await facts.users.byId('ann'))?.id, outside: await store.committed.users.byId('ann') }
      })
      assert.deepEqual(seen, { inside: 'ann', outside: undefined })
      assert.equal((await store.committed.users.byId('ann'))?.id, 'ann')
    })

    it('committed facts: a write throws and writes nothing', async () => {
      await using opened = await open()
      const { store } = opened
      await assert.rejects(async () => store.committed.users.insert(user('ann')))
      assert.equal(await store.committed.users.byId('ann'), undefined)
    })

    it('follow: another store is notified of a revocation', async () => {
      await using opened = await open()
      const other = await opened.another()
      let heard = 0
      const stop = other.follow(() => {
        heard += 1
      })
      const before = heard
      await opened.store.transaction((facts) =>
        facts.revocations.append({ kind: 'sid', key: 'a', ver: null, until: 1 }),
      )
      for (let i = 0; i < 20 && heard === before; i += 1) await delay(25)
      await stop()
      assert.ok(heard > before)
    })

    it('close: running transactions finish; then the store is unavailable until it is opened again', async () => {
      await using opened = await open()
      const { store } = opened
      const begun = store.transaction((facts) => facts.users.insert(user('ann')))
      await store.close()
      await begun
      const away = { code: 'temporarily_unavailable' }
      await assert.rejects(
        store.transaction(async () => 1),
        away,
      )
      await assert.rejects(async () => store.committed.users.byId('ann'), away)
      await assert.rejects(store.ping(), away)
      await store.close()
      await store.open({ features, migrate: 'off' })
      assert.equal((await store.committed.users.byId('ann'))?.id, 'ann')
    })
  })
}
