import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClientWithSecrets } from '../../src/oauth/contract.ts'
import { client, NOW, STORES, secret } from '../stores.ts'

/** Makes clients comparable: bytes by content, and secrets in a fixed order. */
function plain(found: ClientWithSecrets | undefined) {
  const secrets = found?.secrets.map((one) => ({ ...one, hash: [...one.hash] })) ?? []
  return found && { ...found, secrets: secrets.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`clients in a store: ${name}`, () => {
    it('an inserted client is found, with and without its secrets', async () => {
      await using opened = await open()
      const { store } = opened
      const secrets = [secret('s1', 'a'), secret('s2', 'a', { expires_at: NOW + 5, created_at: NOW - 1 })]
      await store.transaction(async ({ clients }) => {
        await clients.insert(client('a', { disabled_at: NOW }))
        await clients.insert(client('b', { scopes: [] }))
        for (const one of [...secrets, secret('s3', 'c')]) await clients.insertSecret(one)
      })
      const { clients } = store.committed
      assert.deepEqual(await clients.byId('a'), client('a', { disabled_at: NOW }))
      assert.deepEqual(plain(await clients.withSecrets('a')), plain({ ...client('a', { disabled_at: NOW }), secrets }))
      assert.deepEqual(await clients.withSecrets('b'), { ...client('b', { scopes: [] }), secrets: [] })
      assert.deepEqual(await store.transaction((facts) => facts.clients.lock('b')), client('b', { scopes: [] }))
      const missing = [await clients.byId('c'), await clients.withSecrets('c')]
      assert.deepEqual(
        [...missing, await store.transaction((facts) => facts.clients.lock('c'))],
        Array(3).fill(undefined),
      )
    })

    it('a change writes only the named columns', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ clients }) => {
        await clients.insert(client('a'))
        await clients.insert(client('b'))
        await clients.change('a', { updated_at: NOW + 1, scopes: ['z'], ver: 8 })
        await clients.change('a', { updated_at: NOW + 2, disabled_at: NOW + 2 })
        await clients.change('a', { updated_at: NOW + 3, name: 'x' })
      })
      const expected = { scopes: ['z'], ver: 8, disabled_at: NOW + 2, name: 'x', updated_at: NOW + 3 }
      assert.deepEqual(await store.committed.clients.byId('a'), client('a', expected))
      assert.deepEqual(await store.committed.clients.byId('b'), client('b'))
    })

    it('one secret can be expired or deleted; a client is deleted with its secrets', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ clients }) => {
        for (const id of ['a', 'b']) await clients.insert(client(id))
        for (const id of ['s1', 's2', 's3']) await clients.insertSecret(secret(id, id === 's3' ? 'b' : 'a'))
        await clients.expireSecret('s1', NOW + 9)
        await clients.deleteSecret('s2')
      })
      const { clients } = store.committed
      assert.deepEqual(plain(await clients.withSecrets('a'))?.secrets, [
        { ...secret('s1', 'a', { expires_at: NOW + 9 }), hash: [1, 2, 255] },
      ])
      assert.equal(await store.transaction((facts) => facts.clients.delete('a')), true)
      assert.equal(await store.transaction((facts) => facts.clients.delete('a')), false)
      await store.transaction((facts) => facts.clients.insert(client('a')))
      assert.deepEqual((await clients.withSecrets('a'))?.secrets, [], 'the secrets were deleted too')
      assert.equal((await clients.withSecrets('b'))?.secrets.length, 1)
    })

    it('list is ordered by id and continues after an id', async () => {
      await using opened = await open()
      const { store } = opened
      for (const id of ['b', 'c', 'a']) await store.transaction((facts) => facts.clients.insert(client(id)))
      const ids = async (page: { after?: string; limit: number }) =>
        (await store.committed.clients.list(page)).map(({ id }) => id)
      assert.deepEqual(
        [await ids({ limit: 2 }), await ids({ after: 'b', limit: 2 }), await ids({ after: 'c', limit: 2 })],
        [['a', 'b'], ['c'], []],
      )
    })

    it('lock makes other changes of the same client wait', async () => {
      await using opened = await open()
      const { store } = opened
      const other = await opened.another()
      await store.transaction((facts) => facts.clients.insert(client('a')))
      const raise = (from: typeof store) =>
        from.transaction(async ({ clients }) => {
          const { ver = 0 } = (await clients.lock('a')) ?? {}
          await clients.change('a', { ver: ver + 1, updated_at: NOW })
        })
      await Promise.all([...Array(10)].map((_, i) => raise(i % 2 === 0 ? store : other)))
      assert.equal((await store.committed.clients.byId('a'))?.ver, 17)
    })
  })
}
