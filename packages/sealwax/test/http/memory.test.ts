import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { features } from '../../src/features.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { PASSWORD, SECRET, standing } from '../server.ts'
import { session } from '../stores.ts'

function start(): Promise<AuthServer> {
  const store = sqliteStore(':memory:')
  return createAuth({ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store })
}

async function openStore() {
  const store = sqliteStore(':memory:')
  await store.open({ features, migrate: 'auto' })
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

describe("sqliteStore(':memory:')", () => {
  it('supports a full session: log-in, refresh, revocation', async () => {
    const auth = await start()
    const { id } = await auth.users.create({ email: 'ann@example.com', password: PASSWORD })
    const request = new Request('http://127.0.0.1:5000/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
    })
    const { access_token, refresh_token } = await (await auth.fetch(request)).json()
    assert.equal(await standing(auth, access_token), 'accepted')
    await auth.sessions.refresh(refresh_token)
    assert.equal((await auth.sessions.list(id)).length, 1)
    await auth.sessions.revokeAll(id)
    assert.equal(await standing(auth, access_token), 'token_revoked')
    await auth.close()
  })

  it('each store has its own database, which is lost when it closes', async () => {
    const [one, other] = await Promise.all([start(), start()])
    await one.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
    assert.equal(await other.users.get('ann'), undefined)
    await Promise.all([one.close(), other.close()])
    const store = sqliteStore(':memory:')
    for (let opened = 0; opened < 2; opened += 1) {
      await store.open({ features, migrate: 'auto' })
      assert.equal(await store.transaction((facts) => facts.metadata.getOrSet('opened', `${opened}`)), `${opened}`)
      await store.close()
    }
  })

  it('a read sees only committed data', async () => {
    await using store = await openStore()
    const written = Promise.withResolvers<void>()
    const undo = Promise.withResolvers<void>()
    const undone = store.transaction(async (facts) => {
      await facts.sessions.insert(session('s'))
      written.resolve()
      await undo.promise
      throw new Error('undone')
    })
    await written.promise
    const read = store.committed.sessions.byId('s')
    undo.resolve()
    await assert.rejects(undone, /undone/)
    assert.equal(await read, undefined)
  })

  it('a guard that waits for the feed gets a revocation', async () => {
    const auth = await start()
    const url = 'http://127.0.0.1:5000/.well-known/revocations'
    const first = await (await auth.fetch(new Request(url))).json()
    const { session: begun } = await auth.sessions.create({ subject: 'ann' })
    const waiting = auth.fetch(new Request(`${url}?after=${first.cursor}`, { headers: { Prefer: 'wait=5' } }))
    await auth.sessions.revoke(begun.id)
    const news = await (await waiting).json()
    assert.ok(JSON.stringify(news).includes(begun.id), JSON.stringify(news))
    await auth.close()
  })
})
