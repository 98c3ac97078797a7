import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64url, encodeJson } from '../src/token/base64url.ts'
import { decodeToken, type JsonObject } from '../src/token/decode.ts'
import { findMistakes } from '../src/token/findings.ts'
import { judgeSecret } from '../src/token/secrets.ts'

const NOW = 1_700_000_000
const SIGNATURE = encodeBase64url(new Uint8Array(64))
const header = { alg: 'ES256', typ: 'JWT', kid: 'k1' }
const payload = { iss: 'https://issuer.example', sub: 'ada', aud: 'api', iat: NOW - 10, exp: NOW + 890 }

function find(ownHeader: JsonObject, ownPayload: JsonObject, signature = SIGNATURE) {
  return findMistakes(decodeToken(`${encodeJson(ownHeader)}.${encodeJson(ownPayload)}.${signature}`), NOW)
}

test('findings: there are none in a token as it should be', () => {
  assert.deepEqual(find(header, payload), [])
})

describe('findings: in the payload', () => {
  const mistakes: readonly [what: string, claims: JsonObject, said: RegExp][] = [
    ['a password', { password: 'x' }, /password looks like a secret/],
    ['a nested secret', { user: { clientSecret: 'x' } }, /user\.clientSecret looks like a secret/],
    ['an API key', { 'api-key': 'x' }, /api-key looks like a secret/],
    ['a numeric PIN in a list', { users: [{ pin: 1234 }] }, /users\.pin looks like a secret/],
    ['the hash of a password', { h: '$2b$12$abcdefghijklmnopqrstuv' }, /hash of a password/],
    ['a refresh token', { refresh_token: 'q7Rk2pX9vLm4Zt8sWc1b' }, /looks like a token or a key/],
    ['another token', { inner: `${encodeJson(header)}.${encodeJson(payload)}.x` }, /is itself a token/],
    ['a private key', { k: '-----BEGIN PRIVATE KEY-----' }, /private key/],
    ['a card number', { number: '4111 1111 1111 1111' }, /payment card/],
    ['a card number by name', { card: 5555555555554444 }, /payment card/],
    ['no exp', { exp: undefined }, /no exp/],
    ['a life longer than a day', { exp: NOW + 86_400 }, /valid for/],
    ['a long life without iat', { iat: undefined, exp: NOW + 90_000 }, /from now/],
    ['a long life from nbf', { iat: undefined, nbf: NOW - 90_000 }, /valid for 25 hours\. /],
    ['milliseconds', { exp: (NOW + 890) * 1000 }, /exp is in milliseconds/],
    ['no aud', { aud: undefined }, /no aud/],
    ['no iss', { iss: undefined }, /no iss/],
  ]
  for (const [what, claims, said] of mistakes) {
    test(what, () => {
      const found = find(header, { ...payload, ...claims })
      assert.equal(found.length, 1, JSON.stringify(found))
      assert.deepEqual([found[0]?.kind, said.test(found[0]?.message ?? '')], ['mistake', true], found[0]?.message)
    })
  }

  test('the same in a list is said once, and not everything in a payload full of mistakes', () => {
    assert.equal(find(header, { ...payload, users: [{ pin: 1 }, { pin: 2 }] }).length, 1)
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`u${index}`, { pin: 1 }]))
    assert.equal(find(header, { ...payload, ...many }).length, 100)
  })

  test('personal data is worth a note', () => {
    assert.deepEqual(
      find(header, { ...payload, email: 'ada@example.com', address: { street: 'x' } }).map(({ kind }) => kind),
      ['note', 'note'],
    )
  })

  test('ids, hashes of the standard and a life of exactly a day are no mistakes', () => {
    const claims = {
      ...{
        jti: '4111111111111111',
        sid: 'q7Rk2pX9vLm4Zt8sWc1b',
        at_hash: 'q7Rk2pX9vLm4Zt8sWc1b',
        nonce: 'n-0S6_WzA2Mj',
      },
      ...{
        cnf: { jwk: { kty: 'EC', x: 'q7Rk2pX9vLm4Zt8sWc1b' } },
        order: '4111111111111111',
        passenger: 'x',
        pinned: true,
      },
      ...{ exp: NOW - 10 + 86_400, token_use: 'access', secretary: 'x', monkey: 'q7Rk2pX9vLm4Zt8sWc1b' },
    }
    assert.deepEqual(find(header, { ...payload, ...claims }), [])
  })
})

describe('findings: in the header', () => {
  test('none, in any spelling, is refused once', () => {
    for (const alg of ['none', 'None', 'nOnE']) {
      const found = find({ alg }, payload, '')
      assert.deepEqual(
        found.map(({ kind, code }) => [kind, code]),
        [['refused', 'ERR_JWT_ALGORITHM']],
      )
      assert.match(found[0]?.message ?? '', /not signed/)
    }
  })

  test('an unknown algorithm is named', () => {
    assert.match(find({ alg: 'XX999' }, payload)[0]?.message ?? '', /^XX999 is not an algorithm/)
  })

  test('an algorithm that Sealwax verifies and browsers do not is worth a note', () => {
    const found = find({ ...header, alg: 'ML-DSA-65' }, payload, encodeBase64url(new Uint8Array(3309)))
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ['note'],
    )
    assert.match(found[0]?.message ?? '', /^ML-DSA-65 resists quantum computers/)
  })

  test('a missing algorithm is refused', () => {
    assert.equal(find({ typ: 'JWT' }, payload)[0]?.code, 'ERR_JWT_ALGORITHM')
  })

  test('a shared secret is worth a note', () => {
    assert.deepEqual(
      find({ alg: 'HS256' }, payload, encodeBase64url(new Uint8Array(32))).map(({ kind }) => kind),
      ['note'],
    )
  })

  test('keys and addresses of keys that the token brings along', () => {
    for (const name of ['jku', 'x5u', 'jwk', 'x5c']) {
      const found = find({ ...header, [name]: 'https://attacker.example' }, payload)
      assert.deepEqual([found.length, found[0]?.kind, found[0]?.message.includes(name)], [1, 'mistake', true])
    }
  })

  test('a kid with characters of a path or a query', () => {
    for (const kid of ['../../dev/null', '/etc/passwd', "x' OR '1'='1", 'a|b', '1 --', '%2e%2e%2fkey']) {
      assert.match(find({ ...header, kid }, payload)[0]?.message ?? '', /^kid contains/, kid)
    }
    for (const kid of ['2026-11', 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', 'Qm--x_9', 'urn:key:1', 'a.b']) {
      assert.deepEqual(find({ ...header, kid }, payload), [], kid)
    }
  })

  test('crit and b64 are refused', () => {
    const found = find({ ...header, crit: ['b64'], b64: false }, payload)
    assert.deepEqual(
      found.map(({ kind, code }) => [kind, code]),
      [
        ['refused', 'ERR_JWT_HEADER'],
        ['refused', 'ERR_JWT_HEADER'],
      ],
    )
  })
})

test('findings: an expired token is refused, and nothing is said twice about a broken one', () => {
  assert.deepEqual(
    find(header, { ...payload, exp: NOW - 60 }).map(({ code }) => code),
    ['ERR_JWT_EXPIRED'],
  )
  const cutOff = decodeToken(`${encodeJson(header)}.${encodeJson(payload)}`)
  assert.deepEqual(findMistakes(cutOff, NOW), [])
  assert.equal(cutOff.faults.length, 1)
})

test('findings: a member that appears twice is refused, although it decodes', () => {
  const twice = Buffer.from('{"iss":"a","aud":"b","exp":1700000890,"iat":1700000000,"aud":"c"}').toString('base64url')
  const decoded = decodeToken(`${encodeJson(header)}.${twice}.${SIGNATURE}`)
  assert.deepEqual(decoded.faults, [])
  assert.match(findMistakes(decoded, NOW)[0]?.message ?? '', /twice/)
})

test('findings: of an encrypted token, nested tokens and weak encryption', () => {
  const jwe = (ownHeader: JsonObject) => decodeToken(`${encodeJson(ownHeader)}.AAAA.BBBB.CCCC.DDDD`)
  assert.deepEqual(findMistakes(jwe({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }), NOW), [])
  const found = findMistakes(jwe({ alg: 'RSA1_5', enc: 'A256GCM', cty: 'JWT', zip: 'DEF' }), NOW)
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['mistake', 'note', 'note'],
  )
})

test('findings: nothing is said of an empty field', () => {
  assert.deepEqual(findMistakes(decodeToken(''), NOW), [])
})

test('secrets: short ones, and those that everybody tries, are mistakes', () => {
  const judge = (secret: string, alg = 'HS256') => judgeSecret(new TextEncoder().encode(secret), alg).length
  assert.equal(judge('kZ4w9fQx7Lm2Rt6Vb8Yc1Nd3hJ5pG0sX'), 0)
  assert.equal(judge('kZ4w9fQx7Lm2Rt6Vb8Yc1Nd3hJ5pG0sX', 'HS512'), 1)
  assert.equal(judge('kZ4w9fQx7Lm2Rt6Vb8Yc1Nd3hJ5pG0s'), 1)
  assert.equal(judge('secret'), 2)
  assert.equal(judge('a-string-secret-at-least-256-bits-long'), 1)
  assert.equal(judge('x'.repeat(64)), 1)
})
