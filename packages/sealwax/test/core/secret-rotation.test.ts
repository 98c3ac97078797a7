import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../../src/core/context.ts'
import { rewrapSecrets } from '../../src/core/secret-rotation.ts'
import { secretsOf } from '../../src/core/secrets.ts'
import { forgetLostSecret } from '../../src/create-auth.ts'
import { features } from '../../src/features.ts'
import type { AuthOptions } from '../../src/index.ts'
import { createAuth } from '../../src/index.ts'
import { sessionKeyPlace } from '../../src/sessions/rules.ts'
import { collector, PASSWORD, SECRET, type Started, standing, startAuth } from '../server.ts'
import { NOW, type Opened, STORES, session } from '../stores.ts'

const NEXT = 'pL8x-another-test-secret-Wq3Zt7Hd5Kc9Mv'
const THIRD = 'test-only-third-secret-Rb7Qk2Xn8Vs4Ty6'
const fingerprint = (secret: string) => secretsOf([secret], () => Buffer.alloc(12)).fingerprint

/** Waits until everything is wrapped with one secret. */
async function rewrapped(events: Started['events'], secret: string): Promise<void> {
  const done = () =>
    events.some((one) => one.type === 'secrets.rewrapped' && one.data?.fingerprint === fingerprint(secret))
  for (let waited = 0; waited < 5000 && !done(); waited += 10) await delay(10)
  assert.ok(done(), 'nothing was rewrapped')
}

describe('the server secret', () => {
  it('is replaced in a rolling deploy: everything is rewrapped, the old secret can be removed, no session ends', async () => {
    await using server = await startAuth()
    const tokens = []
    for (let i = 0; i < 450; i += 1) tokens.push(server.auth.sessions.create({ subject: `u${i}` }))
    const [first, second] = await Promise.all(tokens)
    await server.restart({ secret: [SECRET, NEXT] })
    await server.restart({ secret: [NEXT, SECRET] })
    await rewrapped(server.events, NEXT)
    const told = server.events.findLast(({ type }) => type === 'secrets.rewrapped')
    assert.deepEqual(told?.data, { fingerprint: fingerprint(NEXT), count: 452 })
    await server.restart({ secret: NEXT })
    for (const { refresh_token } of [first, second] as { refresh_token: string }[]) {
      assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
    }
  })

  it('removed too early: the start fails and names every missing fingerprint', async () => {
    await using server = await startAuth()
    await server.auth.sessions.create({ subject: 'ann' })
    await assert.rejects(server.restart({ secret: NEXT }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'keys_unavailable')
      assert.ok(error.message.includes(fingerprint(SECRET)) && error.message.includes(fingerprint(NEXT)))
      assert.ok(error.message.includes(`sealwax secrets forget ${fingerprint(SECRET)}`))
      assert.match(error.message, /SEALWAX_SECRET="new,former"/)
      assert.ok(!error.message.includes(SECRET) && !error.message.includes(NEXT))
      return true
    })
    // With the old secret back at the end of the list the server starts.
    await server.restart({ secret: [NEXT, SECRET] })
    await server.auth.sessions.create({ subject: 'bob' })
  })
})

for (const [name, open] of Object.entries(STORES)) {
  describe(`wrapped keys: ${name}`, () => {
    const options = (store: Opened['store'], secret: AuthOptions['secret']): AuthOptions => ({
      ...{ issuer: 'http://127.0.0.1:5000', audience: 'api', secret, store },
    })

    it('the second of two servers with different secrets fails to start, even when both start at the same time', async () => {
      await using opened = await open()
      const stores = [opened.store, await opened.another()]
      const results = await Promise.allSettled([
        createAuth(options(stores[0] as Opened['store'], SECRET)),
        createAuth(options(stores[1] as Opened['store'], NEXT)),
      ])
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
      assert.deepEqual(refused, ['keys_unavailable'])
      for (const result of results) if (result.status === 'fulfilled') await result.value.close()
      const third = await opened.another()
      await assert.rejects(createAuth(options(third, THIRD)), /fingerprint [0-9a-f]{16}( is|,)/)
    })

    it('a lost secret: its keys are revoked, its sessions end, and the server starts again with its users', async () => {
      await using opened = await open()
      const { events, onEvent } = collector()
      const before = await createAuth({ ...options(await opened.another(), SECRET), onEvent })
      await before.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
      const tokens = await before.sessions.create({ subject: 'ann' })
      await before.sessions.create({ subject: 'bob' })
      await before.sessions.revokeAll('bob') // had ended, so it is not counted
      await before.close()
      const lost = fingerprint(SECRET)
      const forget = async (secret: string, which: string) =>
        forgetLostSecret({ ...options(await opened.another(), secret), onEvent }, which)
      await assert.rejects(forget(SECRET, lost), { code: 'config_invalid', message: /not lost/ })
      await assert.rejects(forget(NEXT, fingerprint(THIRD)), {
        code: 'config_invalid',
        message: /Nothing is encrypted/,
      })
      await assert.rejects(forget(NEXT, 'x'), { code: 'config_invalid' })
      assert.deepEqual(await forget(NEXT, lost), { keys: 2, sessions: 1, codes: 0 })
      assert.equal(
        events.filter(({ type, data }) => type === 'key.revoked' && data?.reason === 'secret_lost').length,
        2,
      )
      const ended = events.filter(({ type, data }) => type === 'sessions.ended' && data?.reason === 'secret_lost')
      assert.deepEqual(
        ended.map(({ data }) => data?.count),
        [1],
      )
      await using after = Object.assign(await createAuth({ ...options(await opened.another(), NEXT) }), {
        [Symbol.asyncDispose]: () => after.close(),
      })
      assert.equal((await after.users.get('ann'))?.email, 'ann@example.com')
      await assert.rejects(after.sessions.refresh(tokens.refresh_token), { code: 'invalid_grant' })
      assert.notEqual(await standing(after, tokens.access_token), 'accepted')
      const fresh = await after.sessions.create({ subject: 'ann' })
      assert.equal(await standing(after, fresh.access_token), 'accepted')
    })

    it('a lost secret whose sessions had all ended is forgotten without an event that says otherwise', async () => {
      await using opened = await open()
      const { events, onEvent } = collector()
      const before = await createAuth(options(await opened.another(), SECRET))
      await before.sessions.create({ subject: 'bob' })
      await before.sessions.revokeAll('bob')
      await before.close()
      const given = { ...options(await opened.another(), NEXT), onEvent }
      assert.equal((await forgetLostSecret(given, fingerprint(SECRET))).sessions, 0)
      assert.deepEqual([...new Set(events.map(({ type }) => type))], ['key.revoked'])
    })

    it('a server that still wraps with the old secret does not rewrap what a newer server wrapped', async () => {
      await using opened = await open()
      const { store } = opened
      const { events, onEvent } = collector()
      const newer = await createAuth({ ...options(await opened.another(), [NEXT, SECRET]), onEvent })
      await newer.sessions.create({ subject: 'ann' })
      await newer.close()
      const job = (list: string[]) => {
        const context = {
          features,
          store,
          secrets: secretsOf(list, randomBytes),
          now: Date.now,
          revoked: { add() {} },
          emit: onEvent,
        }
        return rewrapSecrets(context as unknown as Context, new AbortController().signal)
      }
      await job([SECRET, NEXT])
      assert.ok(!events.some(({ type }) => type === 'secrets.rewrapped'))
      // If the server with the old secret first starts last, it rewraps everything with that one.
      await store.transaction((facts) => facts.metadata.set('wrapper', fingerprint(SECRET)))
      await job([SECRET, NEXT])
      assert.deepEqual(events.at(-1)?.data, { fingerprint: fingerprint(SECRET), count: 3 })
      await job([NEXT, SECRET])
      assert.equal(events.filter(({ type }) => type === 'secrets.rewrapped').length, 1)
    })

    it('a damaged key is logged and left as it is; the keys under every other secret are rewrapped', async () => {
      await using opened = await open()
      const { store } = opened
      const wrapWith = (secret: string, id: string) =>
        secretsOf([secret], randomBytes).wrap(randomBytes(32), sessionKeyPlace(id))
      // Wrapped for another place, so they cannot be decrypted here.
      const damagedKeys = [SECRET, THIRD].map((secret) => Buffer.from(wrapWith(secret, 'elsewhere')))
      await store.transaction(async (facts) => {
        await facts.metadata.set('wrapper', fingerprint(NEXT))
        for (const [i, damaged] of damagedKeys.entries()) {
          await facts.sessions.insert(session(`damaged${i}`, { hmac_key: damaged }))
        }
        await facts.sessions.insert(session('first', { hmac_key: wrapWith(SECRET, 'first') }))
        await facts.sessions.insert(session('second', { hmac_key: wrapWith(THIRD, 'second') }))
      })
      const logged: unknown[] = []
      const { events, onEvent } = collector()
      const context = {
        features,
        store,
        secrets: secretsOf([NEXT, SECRET, THIRD], randomBytes),
        now: Date.now,
        revoked: { add() {} },
        emit: onEvent,
        log: { error: (fields: { place: string }) => logged.push(fields.place) },
      }
      await rewrapSecrets(context as unknown as Context, new AbortController().signal)
      assert.deepEqual(events.at(-1)?.data, { fingerprint: fingerprint(NEXT), count: 2 })
      assert.deepEqual([...new Set(logged)].sort(), ['sessions damaged0', 'sessions damaged1'])
      const keyOf = async (id: string) => (await store.committed.sessions.byId(id))?.hmac_key as Uint8Array
      for (const id of ['first', 'second']) {
        assert.equal(context.secrets.fingerprintOf(await keyOf(id)), fingerprint(NEXT))
      }
      for (const [i, damaged] of damagedKeys.entries()) assert.ok(damaged.equals(await keyOf(`damaged${i}`)))
    })

    it('each wrapping secret is listed once; its values are found, and replaced only if they did not change', async () => {
      await using opened = await open()
      const { store } = opened
      const blob = (head: number, tail: number) => Uint8Array.from([1, ...Array(8).fill(head), tail])
      const heads = [3, 1, 2, 1, 3]
      await store.transaction(async (facts) => {
        for (const [i, head] of heads.entries()) {
          await facts.sessions.insert(session(`s${i}`, { hmac_key: blob(head, i) }))
        }
      })
      const { sessions } = store.committed
      assert.deepEqual(
        (await sessions.wrappers()).map((head) => [...head]),
        [1, 2, 3].map((head) => [1, ...Array(8).fill(head)]),
      )
      const others = await sessions.wrappedBy(blob(1, 0).subarray(0, 9), 10)
      assert.deepEqual(others.map(({ id }) => id).sort(), ['s1', 's3'])
      assert.equal((await sessions.wrappedBy(blob(3, 0).subarray(0, 9), 1)).length, 1)
      assert.deepEqual(await sessions.wrappedBy(blob(9, 0).subarray(0, 9), 1), [])
      const swap = (from: Uint8Array) => store.transaction((facts) => facts.sessions.rewrap('s1', from, blob(2, 9)))
      assert.equal(await swap(blob(1, 8)), false)
      assert.equal(await swap(blob(1, 1)), true)
      assert.deepEqual([...((await sessions.byId('s1'))?.hmac_key ?? [])], [...blob(2, 9)])
    })

    it('sessions that were issued a token in a period are counted, and ended in pages', async () => {
      await using opened = await open()
      const { store } = opened
      const rows = [
        session('a', { access_expires_at: NOW + 10 }),
        session('b', { access_expires_at: NOW + 30, subject: 'bob' }),
        session('c', { access_expires_at: NOW + 30 }),
        session('d', { access_expires_at: NOW + 30, ended_at: NOW - 1 }),
        session('e', { access_expires_at: NOW + 30, idle_expires_at: NOW }),
        session('f', { access_expires_at: NOW + 30, created_at: NOW + 1 }),
      ]
      await store.transaction(async (facts) => {
        for (const row of rows) await facts.sessions.insert(row)
      })
      const issued = { since: NOW + 20, before: NOW + 1, now: NOW }
      assert.deepEqual(await store.committed.sessions.countIssued(issued), { sessions: 2, subjects: 2 })
      const page = (after: string) =>
        store.transaction((facts) => facts.sessions.endIssued(issued, { after, limit: 2, reason: 'key_revoked' }))
      const first = await page('')
      assert.deepEqual([first.ended.map(({ id }) => id), first.last], [['b'], 'b'])
      assert.deepEqual(
        (await page('b')).ended.map(({ id }) => id),
        ['c'],
      )
      assert.deepEqual(
        (await page('d')).ended.map(({ id }) => id),
        ['e'],
      )
      assert.deepEqual(await page('e'), { ended: [], last: 'f' })
      assert.deepEqual(await page('f'), { ended: [], last: undefined })
      assert.equal((await store.committed.sessions.byId('c'))?.end_reason, 'key_revoked')
    })
  })
}
