import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mock, test } from 'node:test'
import { createGuard, type GuardOptions } from '../src/index.ts'
import { audience, bearing, guardWith, ISSUED, issuer, key, refusalOf, secret, tokenFor } from './tokens.ts'

test('a guard reads the time on each call, so that fake timers that are enabled later work', () => {
  const guard = createGuard({ issuer, audience, keys: key, revocation: null })
  const token = tokenFor({}, { currentDate: new Date() })
  const authenticate = () => guard.authenticate(bearing(token))
  assert.ok(authenticate())
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
  try {
    assert.throws(authenticate, { code: 'token_expired' })
  } finally {
    mock.timers.reset()
  }
  assert.ok(authenticate())
  const real = Date.now
  const later = mock.method(Date, 'now', () => real() + 3_600_000)
  try {
    assert.throws(authenticate, { code: 'token_expired' })
  } finally {
    later.mock.restore()
  }
})

/** `sign` refuses to create such a long token. */
function longToken(length: number, members = 0): string {
  const more = Object.fromEntries(Array.from({ length: members }, (_, i) => [`m${i}`, 1]))
  const times = { iat: ISSUED, exp: ISSUED + 900 }
  const claims = {
    iss: issuer,
    sub: 'user-123',
    aud: audience,
    jti: 'a',
    ...times,
    ...more,
    groups: 'x'.repeat(length),
  }
  const parts = [{ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' }, claims]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', secret(7, 32)).update(input).digest('base64url')}`
}

test('a token with 199 groups is accepted; one that is too long is refused with that reason', () => {
  assert.ok(guardWith().authenticate(bearing(longToken(11_000))))
  const { code, status, detail, cause } = refusalOf(longToken(20_000))
  assert.deepEqual([code, status], ['token_malformed', 401])
  assert.equal(detail, 'The access token is longer than 16384 characters.')
  assert.match(String(cause), /longer than maxTokenLength/)
})

test('maxTokenLength and maxMembers are options of a guard, for sockets, too', () => {
  const raised: Partial<GuardOptions> = { maxTokenLength: 100_000, maxMembers: 3000 }
  for (const token of [longToken(50_000), longToken(0, 2000)]) {
    assert.ok(guardWith(raised).authenticate(bearing(token)))
    assert.equal(refusalOf(token).code, 'token_malformed')
  }
  assert.equal(refusalOf(tokenFor(), { maxTokenLength: 100 }).detail, 'The access token is longer than 100 characters.')
  assert.equal(refusalOf(tokenFor(), { maxMembers: 3 }).code, 'token_malformed')
  for (const wrong of [0, -1, 1.5, '100', 2_000_000]) {
    for (const name of ['maxTokenLength', 'maxMembers']) {
      assert.throws(() => guardWith({ [name]: wrong }), { name: 'TypeError', message: new RegExp(name) })
    }
  }
})
