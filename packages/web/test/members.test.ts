import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLAIMS, HEADER_MEMBERS, sourceOf, UNKNOWN_HEADER_MEMBER, unknownClaim } from '../src/token/members.ts'
import { showDate } from '../src/token/times.ts'

test('members: each has one or two sentences and the address of its definition', () => {
  const all = [...CLAIMS.values(), ...HEADER_MEMBERS.values(), UNKNOWN_HEADER_MEMBER, unknownClaim('x')]
  assert.ok(all.length > 60)
  for (const meaning of all) {
    assert.match(meaning.meaning, /^[A-Z].{15,160}\.$/, meaning.title)
    const { name, url } = sourceOf(meaning)
    assert.match(url, /^https:\/\/(www\.rfc-editor\.org\/rfc\/rfc\d+#section-[\d.]+|openid\.net\/specs\/.+#\w+)$/, url)
    assert.match(name, /^(RFC \d+, section \d+(\.\d+)*|OpenID .+)$/)
  }
})

test('members: the claims and parameters of RFC 7519 and RFC 7515 are all explained', () => {
  for (const claim of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']) assert.ok(CLAIMS.has(claim), claim)
  for (const name of ['alg', 'jku', 'jwk', 'kid', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'typ', 'cty', 'crit']) {
    assert.ok(HEADER_MEMBERS.has(name), name)
  }
})

test('members: alg is explained for encrypted tokens, too', () => {
  assert.match(HEADER_MEMBERS.get('alg')?.meaning ?? '', /signed.*five parts.*encrypted/)
})

test('members: a claim with an address as its name cannot collide with others', () => {
  assert.match(sourceOf(unknownClaim('https://example.com/role')).url, /section-4\.2$/)
  assert.match(sourceOf(unknownClaim('role')).url, /section-4\.3$/)
})

test('dates: relative, in words and in UTC; milliseconds are read as such', () => {
  const now = 1_700_000_000
  assert.deepEqual(
    [showDate(now - 37, now)?.relative, showDate(now + 890, now)?.relative],
    ['37 seconds ago', 'in 14 minutes'],
  )
  assert.equal(showDate(now, now)?.relative, 'now')
  assert.equal(showDate(now, now)?.utc, '2023-11-14T22:13:20Z')
  assert.equal(showDate(now * 1000, now)?.utc, '2023-11-14T22:13:20Z')
  assert.match(showDate(now, now)?.local ?? '', /November 2023/)
  for (const value of ['1700000000', null, 1e300, -1e300]) assert.equal(showDate(value, now), undefined)
})
