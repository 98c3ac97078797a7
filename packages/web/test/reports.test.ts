import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  asSeen,
  asText,
  foundNothing,
  outcomeOf,
  readsProfileOfAda,
  type SeenRequest,
  tokenIn,
} from '../src/learn/reports.ts'

const REQUEST: SeenRequest = {
  ...{ id: 1, method: 'POST', path: '/logout', origin: 'http://localhost:5000', site: 'cross-site' },
  ...{ cookie: false, status: 401, code: 'token_missing' },
}

describe('requests of a foreign page', () => {
  test('the outcome depends on the cookie first, then on the status', () => {
    assert.equal(outcomeOf(undefined), 'none')
    assert.equal(outcomeOf(REQUEST), 'bare')
    assert.equal(outcomeOf({ ...REQUEST, cookie: true, status: 403 }), 'refused')
    assert.equal(outcomeOf({ ...REQUEST, cookie: true, status: 204 }), 'accepted')
  })

  test('a request is shown with what is missing from it', () => {
    const text = asSeen({ ...REQUEST, origin: null })
    assert.match(text, /^POST \/logout\nOrigin: \(not sent\)\nSec-Fetch-Site: cross-site\nCookie: \(not sent\)/)
    assert.match(text, /Reply: 401 token_missing$/)
    assert.match(asSeen({ ...REQUEST, cookie: true, status: 200, code: null }), /Cookie: lesson=…\n\nReply: 200$/)
  })
})

describe('reports of an injected script', () => {
  test('a refresh token is found anywhere in a report', () => {
    assert.equal(tokenIn('swr_AQ-x_9'), 'swr_AQ-x_9')
    assert.equal(tokenIn({ deep: [{ text: 'it is swr_AQ, I think' }] }), 'swr_AQ')
    for (const report of [undefined, null, {}, 'eyJhbGciOi.e30.x', { localStorage: null }])
      assert.equal(tokenIn(report), undefined)
  })

  test('a report that cannot be JSON is shown as text', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    assert.equal(asText(cycle), '[object Object]')
    assert.equal(asText(1n), '1')
    assert.equal(asText(undefined), 'undefined')
  })

  test('nothing was found only if the script looked at both places', () => {
    assert.ok(foundNothing({ localStorage: null, cookie: '' }))
    assert.ok(foundNothing({ localStorage: null, cookie: 'theme=dark' }))
    for (const report of [
      { localStorage: null },
      { cookie: '' },
      { localStorage: 'swr_AQ', cookie: '' },
      { localStorage: null, cookie: 'lesson=swr_AQ' },
      'nothing',
      null,
    ])
      assert.ok(!foundNothing(report), asText(report))
  })

  test('only the profile of Ada counts as acting as Ada', () => {
    assert.ok(readsProfileOfAda({ profile: { user: 'ada', roles: [] } }))
    for (const report of [{ profile: { user: 'grace' } }, { profile: { code: 'token_missing' } }, {}, 'ada', null])
      assert.ok(!readsProfileOfAda(report), asText(report))
  })
})
