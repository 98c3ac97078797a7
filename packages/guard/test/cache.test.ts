import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKey, importKey, type VerificationKeys } from '@sealwax/jwt'
import { type Auth, createRevocationList, type GuardOptions, subjectKey } from '../src/index.ts'
import { createTokenCache } from '../src/tokens/cache.ts'
import { bearing, guardWith, ISSUED, issuer, key, secret, strangerKey, tokenFor } from './tokens.ts'

/**
 * A guard with a clock that can be moved, in seconds after ISSUED; `hit` returns whether a token is
 * in the cache.
 */
function movable(options: Partial<GuardOptions> = {}) {
  const clock = { seconds: 0 }
  const guard = guardWith({ now: () => (ISSUED + clock.seconds) * 1000, ...options })
  return {
    clock,
    guard,
    authenticate(token: string): Auth {
      // A header as received from the network: a new string each time.
      const auth = guard.authenticate(bearing(Buffer.from(token).toString('latin1')))
      assert.ok(!(auth instanceof Promise))
      return auth
    },
  }
}

const pair = await generateKey('ES256')

for (const signingKey of [key, pair]) {
  test(`cache: a verified token returns the same frozen Auth from the cache (${signingKey.alg})`, () => {
    const { authenticate } = movable({ keys: signingKey })
    const token = tokenFor({ roles: ['a'] }, {}, signingKey)
    const first = authenticate(token)
    assert.equal(authenticate(token), first)
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first.payload) && Object.isFrozen(first.roles))
  })
}

test('cache: a hit is refused once the token has expired, including the tolerance, and not earlier', () => {
  const { clock, authenticate } = movable()
  const token = tokenFor()
  const first = authenticate(token)
  clock.seconds = 904.999
  assert.equal(authenticate(token), first)
  clock.seconds = 905
  assert.throws(() => authenticate(token), { code: 'token_expired' })
  clock.seconds = 904
  assert.notEqual(authenticate(token), first, 'an expired token is removed from the cache')
})

test('cache: a hit is refused when the clock is set back before nbf or iat', () => {
  const { clock, authenticate } = movable()
  clock.seconds = 100
  const later = tokenFor({}, { notBefore: '1m' })
  authenticate(later)
  clock.seconds = 54
  assert.throws(() => authenticate(later), { code: 'token_not_yet_valid' })
  clock.seconds = 55
  assert.ok(authenticate(later))
  const token = tokenFor()
  authenticate(token)
  clock.seconds = -61
  assert.throws(() => authenticate(token), { code: 'token_not_yet_valid' })
})

test('cache: a hit is checked against revocations of its session, its user and its key', () => {
  const until = ISSUED + 900
  const entries = [
    [{ kind: 'sid', sid: 's-1', until }, 'token_revoked'],
    [{ kind: 'ver', subject: subjectKey(issuer, 'user-123'), ver: 3, until }, 'token_stale'],
    [{ kind: 'kid', kid: 'key-1', until }, 'token_stale'],
  ] as const
  for (const [entry, code] of entries) {
    const revocation = createRevocationList({ now: () => ISSUED * 1000 })
    const { authenticate } = movable({ revocation })
    const token = tokenFor({ sid: 's-1', ver: 2 })
    assert.ok(authenticate(token))
    assert.ok(authenticate(token))
    revocation.add(entry)
    assert.throws(() => authenticate(token), { code }, entry.kind)
    assert.throws(() => authenticate(token), { code }, entry.kind)
  }
})

test('cache: a hit is refused when its key is no longer trusted, was replaced under the same kid, or is not available', () => {
  const other = importKey(secret(9, 32), { alg: 'HS256', kid: 'key-2' })
  const list = [key, other]
  let keys: () => VerificationKeys = () => list
  const { authenticate } = movable({ keys: () => keys() })
  const token = tokenFor()
  const first = authenticate(token)
  keys = () => [other, key]
  assert.equal(authenticate(token), first, 'another list with the same key')
  keys = () => list
  list.splice(0, 1)
  assert.throws(() => authenticate(token), { code: 'token_key_unknown' }, 'the same list without the key')
  list.unshift(key)
  authenticate(token)
  keys = () => [strangerKey, other]
  assert.throws(() => authenticate(token), { code: 'token_signature_invalid' })
  keys = () => {
    throw new Error('gone')
  }
  assert.throws(() => authenticate(token), { code: 'keys_unavailable' })
})

test('cache: a hit is checked against the requirement of each route', () => {
  const { guard, authenticate, clock } = movable()
  const token = tokenFor({ scope: 'a', auth_time: ISSUED })
  authenticate(token)
  assert.ok(guard.authenticate(bearing(token), { scope: 'a', fresh: '5m' }))
  assert.throws(() => guard.authenticate(bearing(token), { scope: 'b' }), { code: 'insufficient_scope' })
  assert.throws(() => guard.authenticate(bearing(token), { check: () => false }), { code: 'check_failed' })
  clock.seconds = 301
  assert.throws(() => guard.authenticate(bearing(token), { fresh: '5m' }), { code: 'reauthentication_required' })
})

test('cache: a string that differs from a verified token in any character is not accepted', () => {
  const { guard, authenticate } = movable()
  const token = tokenFor()
  authenticate(token)
  for (let i = 0; i < token.length; i++) {
    const letter = token[i] === 'A' ? 'B' : 'A'
    const changed = token.slice(0, i) + letter + token.slice(i + 1)
    assert.throws(() => authenticate(changed), { name: 'GuardError' }, `character ${i}`)
  }
  for (const text of [` ${token}`, `${token} `, `${token},`, token.slice(1), token.slice(-22), `a${token}`, '']) {
    assert.throws(() => guard.authenticate(bearing(text)), { name: 'GuardError' }, JSON.stringify(text.slice(0, 5)))
  }
  const url = { ...bearing(token), url: '/?access_token=x' }
  assert.throws(() => guard.authenticate(url), { code: 'invalid_request' })
  assert.throws(() => guard.authenticate({ headers: { authorization: `Basic ${token}` } }), { code: 'token_missing' })
  assert.ok(guard.authenticate({ headers: { authorization: `bEARER ${token}` } }))
})

test('cache: is separate for each guard', () => {
  const token = tokenFor()
  movable().authenticate(token)
  assert.throws(() => movable({ audience: 'billing-api' }).authenticate(token), { code: 'token_audience_invalid' })
})

test('cache: refusals are not cached', () => {
  let keys = strangerKey
  const { authenticate } = movable({ keys: () => keys })
  const token = tokenFor()
  assert.throws(() => authenticate(token), { code: 'token_signature_invalid' })
  keys = key
  assert.ok(authenticate(token))
})

test('cache: cacheSize 0 verifies each time, and close clears the cache', async () => {
  const off = movable({ cacheSize: 0 })
  const token = tokenFor()
  assert.notEqual(off.authenticate(token), off.authenticate(token))
  const on = movable()
  const first = on.authenticate(token)
  await on.guard.close()
  assert.notEqual(on.authenticate(token), first)
})

test('cache: contains at most its size, keeps entries that are used and drops those that are not', () => {
  const cache = createTokenCache<{ token: string }>(100)
  const entry = (i: number) => ({ token: `token-${String(i).padStart(40, '0')}` })
  const used = entry(-1)
  cache.add(used)
  for (let i = 0; i < 10_000; i++) {
    cache.add(entry(i))
    assert.equal(cache.find(used.token), used)
  }
  const kept = Array.from({ length: 10_000 }, (_, i) => entry(i)).filter(({ token }) => cache.find(token) !== undefined)
  assert.ok(kept.length >= 48 && kept.length <= 99, `${kept.length} are kept`)
  assert.deepEqual(kept.at(-1), entry(9999))
})

test('cache: long tokens evict each other, so that its memory is bounded', () => {
  const cache = createTokenCache<{ token: string }>(100)
  const long = (i: number) => ({ token: String(i).padStart(8192, 'x') })
  for (let i = 0; i < 100; i++) cache.add(long(i))
  const kept = Array.from({ length: 100 }, (_, i) => long(i)).filter(({ token }) => cache.find(token) !== undefined)
  assert.ok(kept.length >= 6 && kept.length <= 12, `${kept.length} are kept`)
})

test('cache: a removed entry is gone, and removing an unknown entry with the same end removes nothing', () => {
  const cache = createTokenCache<{ token: string }>(10)
  const one = { token: `a${'x'.repeat(30)}` }
  cache.add(one)
  assert.equal(cache.find(`b${'x'.repeat(30)}`), undefined)
  cache.remove({ token: `b${'x'.repeat(30)}` })
  assert.equal(cache.find(one.token), one)
  cache.remove(one)
  assert.equal(cache.find(one.token), undefined)
})
