import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { proxyTo } from '../proxy.ts'

describe('a transaction that fails right after begin', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  /** A store with one connection for writes, connected through a proxy. */
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

  it('is rolled back, and its connection serves the next request', async () => {
    await using opened = await openThroughProxy()
    const { proxy, write } = opened
    const before = proxy.attempts
    // Any error of this statement must affect only one request, for example a cancellation by an
    // administrator.
    proxy.replaced.set('synchronous_commit to on', 'synchronous_commit to xx')
    for (let i = 0; i < 3; i += 1) await assert.rejects(write(), { code: '22023' })
    proxy.replaced.clear()
    await write()
    assert.equal(proxy.attempts, before, 'the existing connection is used')
  })

  it('if its rollback fails, the next request fails as unavailable, and later ones get a new connection', async () => {
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
