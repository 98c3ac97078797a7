import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { proxyTo } from '../proxy.ts'

describe('a transaction that fails right after it has begun', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  /** A store with one connection that writes, and what stands between it and the database. */
  async function openThroughProxy() {
    const url = new URL(await server.createDatabase())
    const proxy = await proxyTo(Number(url.port))
    const store = postgresStore(`postgres://sealwax@127.0.0.1:${proxy.port}${url.pathname}`, { connections: 3 })
    await store.open({ features, migrate: 'auto' })
    const write = () => store.transaction((facts) => facts.metadata.set('x', '1'))
    await write()
    const close = async () => {
      await store.close()
      await proxy[Symbol.asyncDispose]()
    }
    return { proxy, write, [Symbol.asyncDispose]: close }
  }

  it('is undone, and its connection serves the next request: an administrator who cancels a statement stops one request only', async () => {
    await using opened = await openThroughProxy()
    const { proxy, write } = opened
    const before = proxy.attempts
    proxy.replaced.set('synchronous_commit to on', 'synchronous_commit to xx')
    for (let i = 0; i < 3; i += 1) await assert.rejects(write(), { code: '22023' })
    proxy.replaced.clear()
    await write()
    assert.equal(proxy.attempts, before, 'over the connection there was')
  })

  it('and is not undone makes one more request fail as unavailable; the requests after that get another connection', async () => {
    await using opened = await openThroughProxy()
    const { proxy, write } = opened
    const before = proxy.attempts
    proxy.replaced.set('synchronous_commit to on', 'synchronous_commit to xx')
    proxy.replaced.set('rollback', '        ')
    await assert.rejects(write(), { code: '22023' })
    proxy.replaced.clear()
    await assert.rejects(write(), { code: 'temporarily_unavailable' })
    await write()
    assert.equal(proxy.attempts, before + 1)
  })
})
