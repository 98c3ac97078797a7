import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Conflict, type Store } from '../../src/core/unit-of-work.ts'
import type { SessionRow } from '../../src/sessions/contract.ts'
import { NOW, STORES, session, user } from '../stores.ts'

const advanced = {
  ...{ generation: 1, parent_generation: 0, rotated_at: NOW + 1, presented_at: null, seen_at: NOW + 1 },
  ...{ forks: { first: 0, origins: [] }, earlier_use: { at: NOW, ip: null, user_agent: 'y' } },
  ...{ seen_ip: '192.0.2.1', seen_user_agent: 'x', idle_expires_at: NOW + 2000, access_expires_at: NOW + 1900 },
}

const unread = { generation: 0, rotated_at: null, presented_at: null }

/** Makes rows comparable: bytes by content, since drivers return different classes. */
function plain(row: SessionRow | undefined): object | undefined {
  return row && { ...row, hmac_key: [...row.hmac_key] }
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`users and sessions in a store: ${name}`, () => {
    it('users: an inserted user is found by id and by email', async () => {
      await using opened = await open()
      const { store } = opened
      const row = user('ann', { password_hash: null, disabled_at: 5 })
      await store.transaction((facts) => facts.users.insert(row))
      const { users } = store.committed
      assert.deepEqual(await users.byId('ann'), row)
      assert.deepEqual(await users.byEmail('ann@example.com'), row)
      for (const missing of [
        await users.byId('x'),
        await users.byEmail('x'),
        await store.transaction((facts) => facts.users.lock('x')),
      ])
        assert.equal(missing, undefined)
    })

    it('users: a taken id or email is a Conflict that names the field, and nothing is written', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction((facts) => facts.users.insert(user('ann')))
      await store.transaction((facts) => facts.users.insert(user('bob')))
      const conflict = (field: string) => (error: unknown) => error instanceof Conflict && error.field === field
      await assert.rejects(
        store.transaction((facts) => facts.users.insert(user('ann', { email: 'x@example.com' }))),
        conflict('id'),
      )
      await assert.rejects(
        store.transaction((facts) => facts.users.insert(user('eve', { email: 'ann@example.com' }))),
        conflict('email'),
      )
      const change = { email: 'ann@example.com', updated_at: NOW }
      await assert.rejects(
        store.transaction((facts) => facts.users.change('bob', change)),
        conflict('email'),
      )
      assert.deepEqual(
        (await store.committed.userLists.list({ limit: 10 })).map(({ id, email }) => [id, email]),
        [
          ['ann', 'ann@example.com'],
          ['bob', 'bob@example.com'],
        ],
      )
    })

    it('users: setRoles raises ver, raiseCredentialVersion raises the credential version, other columns stay', async () => {
      await using opened = await open()
      const { store } = opened
      const answers = await store.transaction(async ({ users, subjects }) => {
        await users.insert(user('ann'))
        const raised = [
          await subjects.raiseCredentialVersion('ann', NOW + 1),
          await subjects.raiseCredentialVersion('nobody', NOW),
        ]
        const vers = [
          await users.setRoles('ann', [], { least: 0, now: NOW + 2 }),
          await users.setRoles('ann', ['z'], { least: 9, now: NOW + 3 }),
        ]
        const changed = await users.change('ann', { disabled_at: NOW, updated_at: NOW + 4 })
        const nobody = [
          await users.setRoles('nobody', [], { least: 0, now: NOW }),
          await users.change('nobody', { updated_at: NOW }),
          await users.delete('nobody'),
        ]
        return { raised, vers, changed, nobody }
      })
      assert.deepEqual(answers, {
        ...{ raised: [1, undefined], vers: [2, 9] },
        ...{ changed: true, nobody: [undefined, false, false] },
      })
      const expected = user('ann', {
        roles: ['z'],
        ver: 9,
        credential_version: 2,
        disabled_at: NOW,
        updated_at: NOW + 4,
      })
      assert.deepEqual(await store.committed.users.byId('ann'), expected)
      assert.equal(await store.transaction((facts) => facts.users.delete('ann')), true)
      assert.equal(await store.committed.users.byId('ann'), undefined)
    })

    it('users: list is ordered by id and continues after an id', async () => {
      await using opened = await open()
      const { store } = opened
      for (const id of ['b', 'c', 'a']) await store.transaction((facts) => facts.users.insert(user(id)))
      const ids = async (page: { after?: string; limit: number }) =>
        (await store.committed.userLists.list(page)).map(({ id }) => id)
      assert.deepEqual(
        [await ids({ limit: 2 }), await ids({ after: 'b', limit: 2 }), await ids({ after: 'c', limit: 2 })],
        [['a', 'b'], ['c'], []],
      )
    })

    it('sessions: a row is returned unchanged, with the data of its user that a refresh needs', async () => {
      await using opened = await open()
      const { store } = opened
      // Each column has a different value, so that swapped columns are detected.
      const given = session('s1', {
        ...{
          remember: false,
          presented_at: NOW + 6,
          device: 'phone-1',
          scope: 'a b',
          roles: ['r'],
          claims: { deep: [1, null, 'é'] },
        },
        forks: { first: 2, origins: [['192.0.2 agent', 3] as const] },
        earlier_use: { at: NOW + 1, ip: '::3', user_agent: null },
        ...{ created_ip: '::1', created_user_agent: 'first', seen_ip: '::2', seen_user_agent: 'last' },
        ...{ generation: 3, parent_generation: 2, rotated_at: NOW + 1, auth_time: NOW + 2, created_at: NOW + 3 },
        ...{ seen_at: NOW + 4, ended_at: NOW + 5, end_reason: 'logout', ver: 4 },
      })
      for (const one of [given, session('s0', { remember: true })]) {
        await store.transaction((facts) => facts.sessions.insert(one))
        assert.deepEqual(plain(await store.committed.sessions.byId(one.id)), { ...plain(one), user: undefined })
      }
      await store.transaction((facts) => facts.users.insert(user('ann', { ver: 4, disabled_at: 5 })))
      assert.deepEqual((await store.committed.sessions.byId('s1'))?.user, { roles: ['a', 'b'], ver: 4, disabled: true })
      assert.equal(await store.committed.sessions.byId('s2'), undefined)
    })

    it('sessions: advance writes only if the row is unchanged since the read', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction((facts) => facts.sessions.insert(session('s1')))
      const advance = (read: object) =>
        store.transaction((facts) => facts.sessions.advance('s1', { ...unread, ...read }, advanced))
      for (const read of [{ generation: 1 }, { rotated_at: NOW }, { presented_at: NOW }])
        assert.equal(await advance(read), false)
      assert.deepEqual([await advance({}), await advance({})], [true, false])
      const row = await store.committed.sessions.byId('s1')
      assert.deepEqual(plain(row), { ...plain(session('s1')), ...advanced, user: undefined })
      assert.equal(await advance({ generation: 1, rotated_at: NOW + 1 }), true)
      await store.transaction((facts) => facts.sessions.end('s1', NOW, 'logout'))
      assert.equal(await advance({ generation: 1, rotated_at: NOW + 1 }), false)
    })

    it('sessions: of 20 concurrent advances of one row, one succeeds', async () => {
      await using opened = await open()
      const stores = [opened.store, await opened.another()]
      await opened.store.transaction((facts) => facts.sessions.insert(session('s1')))
      const attempts = Array.from({ length: 20 }, (_, i) =>
        (stores[i % 2] as Store).transaction((facts) => facts.sessions.advance('s1', unread, advanced)),
      )
      assert.equal((await Promise.all(attempts)).filter(Boolean).length, 1)
    })

    it('sessions: list returns the live sessions, newest first', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ sessions }) => {
        await sessions.insert(session('old', { created_at: NOW - 2 }))
        await sessions.insert(session('new', { created_at: NOW - 1 }))
        await sessions.insert(session('ended', { ended_at: NOW }))
        await sessions.insert(session('idle', { idle_expires_at: NOW }))
        await sessions.insert(session('over', { absolute_expires_at: NOW }))
        await sessions.insert(session('other', { subject: 'bob' }))
      })
      assert.deepEqual(
        (await store.committed.sessions.list('ann', NOW)).map(({ id }) => id),
        ['new', 'old'],
      )
    })

    it('sessions: pages contain each session once, even if several began at the same time or end meanwhile', async () => {
      await using opened = await open()
      const { store } = opened
      const begun = Array.from({ length: 25 }, (_, i) => session(`s${i}`, { created_at: NOW - (i % 3) }))
      await store.transaction(async ({ sessions }) => {
        for (const row of begun) await sessions.insert(row)
      })
      const whole = (await store.committed.sessions.list('ann', NOW)).map(({ id }) => id)
      const seen: string[] = []
      for (let after = begun.find(({ id }) => id === 'none'); ; ) {
        const page = await store.committed.sessions.list('ann', NOW, { after, limit: 4 })
        seen.push(...page.map(({ id }) => id))
        after = page.at(-1)
        if (after === undefined) break
        const { id } = after
        await store.transaction(({ sessions }) => sessions.end(id, NOW, 'logout'))
      }
      assert.deepEqual([whole.length, seen], [25, whole])
    })

    it('sessions: excess returns expired sessions, then the least recently used, never the excepted one', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ sessions }) => {
        await sessions.insert(session('first', { created_at: NOW - 9, seen_at: NOW - 1 }))
        await sessions.insert(session('unused', { created_at: NOW - 8, seen_at: NOW - 8 }))
        await sessions.insert(session('used', { created_at: NOW - 7, seen_at: NOW - 2 }))
        await sessions.insert(session('idle', { created_at: NOW - 6, idle_expires_at: NOW }))
        await sessions.insert(session('over', { created_at: NOW - 5, seen_at: NOW - 1, absolute_expires_at: NOW }))
        await sessions.insert(session('new', { seen_at: NOW - 100 }))
        await sessions.insert(session('ended', { seen_at: NOW - 100, ended_at: NOW }))
        await sessions.insert(session('other', { subject: 'bob', seen_at: NOW - 100 }))
      })
      const excess = async (keep: number, limit = 10) => {
        const found = await store.committed.sessions.excess('ann', { except: 'new', keep, now: NOW, limit })
        return found.map(({ id }) => id)
      }
      assert.deepEqual(
        [await excess(6), await excess(5), await excess(3), await excess(2), await excess(1)],
        [[], [], ['idle', 'over'], ['unused', 'idle', 'over'], ['used', 'unused', 'idle', 'over']],
      )
      // If `limit` does not allow it to read all sessions, it chooses among the oldest.
      assert.deepEqual([await excess(1, 1), await excess(0, 3)], [['unused'], ['first', 'used', 'unused']])
    })

    it('sessions: end and endAll report each ended session once', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ sessions }) => {
        for (const id of ['a', 'b', 'c', 'd'])
          await sessions.insert(session(id, { access_expires_at: NOW + id.charCodeAt(0), ver: id.charCodeAt(0) }))
        await sessions.insert(session('other', { subject: 'bob' }))
      })
      const end = (id: string) => store.transaction((facts) => facts.sessions.end(id, NOW + 7, 'logout'))
      assert.deepEqual(
        [{ ...(await end('a')) }, await end('a'), await end('x')],
        [{ id: 'a', access_expires_at: NOW + 97 }, undefined, undefined],
      )
      const endAll = (except?: string) =>
        store.transaction((facts) => facts.sessions.endAll('ann', NOW + 8, 'revoked', except))
      assert.deepEqual({ ...(await endAll('c')) }, { count: 2, access_expires_at: NOW + 100, ver: 100 })
      assert.deepEqual({ ...(await endAll()) }, { count: 1, access_expires_at: NOW + 99, ver: 99 })
      assert.deepEqual({ ...(await endAll()) }, { count: 0, access_expires_at: null, ver: null })
      const ends = await Promise.all(['a', 'b', 'other'].map((id) => store.committed.sessions.byId(id)))
      assert.deepEqual(
        ends.map((row) => [row?.ended_at, row?.end_reason]),
        [
          [NOW + 7, 'logout'],
          [NOW + 8, 'revoked'],
          [null, null],
        ],
      )
    })

    it('sessions: latest ignores ended sessions, and purge deletes only old ones', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ sessions }) => {
        await sessions.insert(session('live', { ver: 7 }))
        await sessions.insert(session('ended', { ended_at: NOW, access_expires_at: NOW + 5000, ver: 8 }))
        await sessions.insert(session('idle', { absolute_expires_at: NOW - 10, access_expires_at: NOW + 950 }))
      })
      const { sessions } = store.committed
      assert.deepEqual(
        [{ ...(await sessions.latest('ann')) }, { ...(await sessions.latest('bob')) }],
        [
          { access_expires_at: NOW + 950, ver: 7 },
          { access_expires_at: null, ver: null },
        ],
      )
      const purge = (before: number) => store.transaction((facts) => facts.sessions.purge(before, 10))
      assert.deepEqual([await purge(NOW - 10), await purge(NOW), await purge(NOW + 1)], [0, 1, 1])
      assert.equal((await sessions.byId('live'))?.id, 'live')
    })
  })
}
