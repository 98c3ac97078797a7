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
  test(`preflights: ${site.name} lets OPTIONS pass without looking at it, and never says who sent it`, async (t) => {
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
      // A handler that is called with the user is not called without one.
      const direct = site.name === 'node' || site.name === 'fetch'
      assert.deepEqual([response.status, await response.text()], direct ? [204, ''] : [200, 'nobody'])
      assert.equal(response.headers.get('x-before'), 'kept')
    }
    assert.deepEqual([refused, thrown], [[], []])
    const { status } = await fetch(origin, { method: 'PUT' })
    assert.equal(status, 401, 'every other method is guarded')
  })

  test(`preflights: an attacker gets nothing from ${site.name} by spelling a method like OPTIONS, or by a header that overrides it`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PATCH']) {
      const headers = { ...preflight, 'x-http-method-override': 'OPTIONS', 'x-http-method': 'OPTIONS' }
      const { status } = await fetch(`${origin}/?_method=OPTIONS`, { method, headers })
      assert.equal(status, 401, method)
    }
  })
  test(`attack: an OPTIONS request that names another method does not pass ${site.name}`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override']) {
      const { status } = await fetch(origin, { method: 'OPTIONS', headers: { [name]: 'DELETE' } })
      assert.equal(status, 401, name)
    }
  })
}
