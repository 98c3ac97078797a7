import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sites } from './sites.ts'
import { guardWith, tokenFor } from './tokens.ts'

const preflight = {
  origin: 'https://app.example.com',
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'authorization',
}

for (const site of sites) {
  test(`preflights: ${site.name} lets OPTIONS pass without authentication, and never sets auth`, async (t) => {
    const refused: string[] = []
    const thrown: unknown[] = []
    const guard = guardWith({ onRefusal: ({ code }) => refused.push(code) })
    const check = () => assert.fail('a requirement was looked at')
    const origin = await site.start(t, guard, [{ role: 'admin', check }], thrown)
    for (const headers of [
      preflight,
      {},
      { authorization: 'Bearer garbage' },
      { authorization: `Bearer ${tokenFor()}` },
    ]) {
      const response = await fetch(origin, { method: 'OPTIONS', headers: headers as Record<string, string> })
      // A handler that takes the user as an argument is not called without one.
      const direct = site.name === 'node' || site.name === 'fetch'
      assert.deepEqual([response.status, await response.text()], direct ? [204, ''] : [200, 'nobody'])
      assert.equal(response.headers.get('x-before'), 'kept')
    }
    assert.deepEqual([refused, thrown], [[], []])
    const { status } = await fetch(origin, { method: 'PUT' })
    assert.equal(status, 401, 'every other method is guarded')
  })

  test(`preflights: a request with another method does not pass ${site.name} because a header or parameter overrides it with OPTIONS`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PATCH']) {
      const headers = { ...preflight, 'x-http-method-override': 'OPTIONS', 'x-http-method': 'OPTIONS' }
      const { status } = await fetch(`${origin}/?_method=OPTIONS`, { method, headers })
      assert.equal(status, 401, method)
    }
  })
  test(`attack: an OPTIONS request with a header that names another method does not pass ${site.name}`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override']) {
      const { status } = await fetch(origin, { method: 'OPTIONS', headers: { [name]: 'DELETE' } })
      assert.equal(status, 401, name)
    }
  })
}
