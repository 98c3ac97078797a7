import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { JwtErrorCode } from '@sealwax/jwt'
import { createLocalJWKSet, createRemoteJWKSet, importKey, verify } from '@sealwax/jwt'
import type { Attack } from './attack.ts'
import {
  codeOf,
  ec,
  ecPublic,
  forge,
  good,
  held,
  hmac,
  hs256,
  noSignature,
  rsa,
  rsaPublic,
  withClaims,
  withHeader,
  withText,
} from './attack.ts'
import { audience, base64url, claims, header, issuer, now, secret } from './craft.ts'

// One test for each published advisory about tokens in a JWT library: its input, or the closest
// input that this package takes, is refused. Advisories about fetching keys or caching are at the
// end.

type Advisory = [id: string, lesson: string, code: JwtErrorCode, ...attacks: Attack[]]

const pem = String(createPublicKey({ key: { ...rsaPublic }, format: 'jwk' }).export({ format: 'pem', type: 'spki' }))
const pkcs1 = String(createPublicKey(pem).export({ format: 'pem', type: 'pkcs1' }))
const ssh = `ecdsa-sha2-nistp256 ${base64url(Buffer.from(ecPublic.x ?? '', 'base64url'))} user@host`
const rsHeader = { alg: 'HS256', kid: 'rs-1', typ: 'at+jwt' }
const esHeader = { alg: 'ES256', kid: 'ec-1', typ: 'at+jwt' }
const confused = (key: string, head: object = rsHeader, keys = rsa): Attack => ({
  token: forge(head, claims, hmac(key)),
  keys,
})
const jwe = (alg: string, more: object = {}) =>
  `${base64url(JSON.stringify({ alg, enc: 'A256GCM', kid: 'hs-1', ...more }))}.AAAA.AAAA.${base64url(good)}.AAAA`
const keysGiven = (keys: unknown, token: unknown = good): Attack => ({ token, keys: keys as typeof hs256 })
const load =
  (source: unknown, options?: object): Attack =>
  () =>
    importKey(source as string, options)
const [head, body, signature] = good.split('.')
const dsa = String(
  generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).publicKey.export({
    format: 'pem',
    type: 'spki',
  }),
)
const trap = { toString: () => assert.fail('the key was asked'), valueOf: () => assert.fail('the key was asked') }

const advisories: readonly Advisory[] = [
  [
    'CVE-2015-9235 (jsonwebtoken)',
    'the header does not choose HMAC for an RSA key',
    'ERR_JWT_ALGORITHM',
    confused(pem),
  ],
  [
    'CVE-2016-10555 (jwt-simple)',
    'the header does not choose HMAC for an RSA key',
    'ERR_JWT_ALGORITHM',
    confused(pem.trim()),
  ],
  [
    'CVE-2016-1000223 (jws)',
    'an algorithm that the attacker chose is not computed',
    'ERR_JWT_ALGORITHM',
    confused(pem, { ...rsHeader, alg: 'HS512' }),
    withHeader({ alg: 'none' }, noSignature),
  ],
  [
    'CVE-2022-23539 (jsonwebtoken)',
    'a DSA key is not accepted for RS256',
    'ERR_JWT_KEY',
    load(dsa, { alg: 'RS256' }),
    load(dsa),
  ],
  [
    'CVE-2022-23540 (jsonwebtoken)',
    'a missing list of algorithms does not allow none',
    'ERR_JWT_ALGORITHM',
    withHeader({ alg: 'none' }, noSignature),
  ],
  [
    'CVE-2022-23541 (jsonwebtoken)',
    'a key callback cannot return a public key for an HMAC',
    'ERR_JWT_KEY',
    keysGiven(() => pem, forge(rsHeader, claims, hmac(pem))),
  ],
  [
    'CVE-2022-23529 (jsonwebtoken, withdrawn)',
    'no method is called on a key of unknown type',
    'ERR_JWT_KEY',
    keysGiven(trap),
    keysGiven([trap]),
  ],
  [
    'CVE-2025-65945 (node-jws)',
    'a secret is not looked up by the content of a token',
    'ERR_JWT_KEY',
    keysGiven(() => secret),
    keysGiven(async () => hs256),
  ],
  [
    'CVE-2021-29443 to CVE-2021-29446 (jose)',
    'nothing is decrypted, so there is no padding oracle',
    'ERR_JWT_MALFORMED',
    jwe('dir', { enc: 'A128CBC-HS256' }),
    jwe('RSA1_5'),
  ],
  ['CVE-2022-36083 (jose)', 'p2c causes no work', 'ERR_JWT_MALFORMED', jwe('PBES2-HS256+A128KW', { p2c: 2 ** 31 - 1 })],
  ['CVE-2024-28176 (jose)', 'nothing is decompressed', 'ERR_JWT_MALFORMED', jwe('dir', { zip: 'DEF' })],
  [
    'CVE-2018-0114 (node-jose)',
    'the jwk of a header is not used',
    'ERR_JWT_SIGNATURE',
    withHeader({ jwk: { kty: 'oct', k: base64url('k'.repeat(32)) } }, hmac('k'.repeat(32))),
  ],
  [
    'CVE-2017-16007 (node-jose)',
    'a point off the curve is refused as a key',
    'ERR_JWT_KEY',
    load({ ...ecPublic, y: ecPublic.x }),
  ],
  [
    'CVE-2023-25653 (node-jose)',
    'invalid EC input is refused at load',
    'ERR_JWT_KEY',
    load({ ...ecPublic, x: base64url(Buffer.alloc(32)), y: base64url(Buffer.alloc(32)) }),
  ],
  ['CVE-2023-48223 (fast-jwt)', 'a PKCS #1 PEM is no secret', 'ERR_JWT_ALGORITHM', confused(pkcs1)],
  [
    'CVE-2025-30144 (fast-jwt)',
    'an iss that is a list with the trusted issuer is refused',
    'ERR_JWT_CLAIM',
    withClaims({ iss: ['https://evil', issuer] }),
  ],
  [
    'CVE-2026-34950 (fast-jwt)',
    'a PEM after a space is not accepted as a secret',
    'ERR_JWT_ALGORITHM',
    confused(` ${pem}`),
    confused(`\n${pem}`),
  ],
  [
    'GHSA-3j8v-cgw4-2g6q (fast-jwt)',
    'a RegExp with state is refused as an option',
    'ERR_JWT_OPTION',
    { token: good, options: { audience: /api/g } },
  ],
  [
    'CVE-2026-35041 (fast-jwt)',
    'a RegExp that never ends is refused as an option',
    'ERR_JWT_OPTION',
    { token: good, options: { audience: /^(a+)+$/ } },
  ],
  ['CVE-2026-35042 (fast-jwt)', 'crit is not ignored', 'ERR_JWT_HEADER', withHeader({ crit: ['x'], x: 1 })],
  [
    'CVE-2026-44351 (fast-jwt)',
    'an unknown kid does not become an empty secret',
    'ERR_JWT_KEY_UNKNOWN',
    { token: withHeader({ kid: 'x' }, hmac('')), keys: [hs256, ec] },
  ],
  [
    'CVE-2020-15084 (express-jwt)',
    'algorithms that are undefined are refused',
    'ERR_JWT_OPTION',
    { token: good, options: { algorithms: undefined } },
  ],
  [
    'CVE-2025-62610 (hono)',
    'a token for a sibling service is refused, and audience cannot be omitted',
    'ERR_JWT_AUDIENCE',
    withClaims({ aud: 'https://sibling' }),
  ],
  [
    'CVE-2026-22817 (hono)',
    'a key of another type does not get a default algorithm',
    'ERR_JWT_ALGORITHM',
    confused(pem),
  ],
  [
    'CVE-2026-22818 (hono)',
    'a JWK without alg does not fall back to the header',
    'ERR_JWT_ALGORITHM',
    confused(pem, rsHeader, importKey({ kty: 'RSA', n: rsaPublic.n ?? '', e: 'AQAB', kid: 'rs-1' }) as typeof rsa),
  ],
  [
    'CVE-2024-34273 (njwt)',
    'claims cannot change a prototype',
    'ERR_JWT_MALFORMED',
    withText('"__proto__":{"admin":true}'),
  ],
  [
    'CVE-2017-11424 (PyJWT)',
    'a PKCS #1 PEM is no secret',
    'ERR_JWT_ALGORITHM',
    confused(pkcs1.replaceAll('\n', '\r\n')),
  ],
  [
    'CVE-2022-29217 (PyJWT)',
    'an OpenSSH key is not accepted as a secret',
    'ERR_JWT_ALGORITHM',
    confused(ssh, { ...esHeader, alg: 'HS256' }, ec as unknown as typeof rsa),
  ],
  [
    'CVE-2024-53861 (PyJWT)',
    'a substring of the issuer is not accepted as the issuer',
    'ERR_JWT_ISSUER',
    withClaims({ iss: issuer.slice(0, 12) }),
    withClaims({ iss: '' }),
  ],
  [
    'CVE-2025-45768 (PyJWT)',
    'a short secret is refused, not warned about',
    'ERR_JWT_KEY',
    load(secret.subarray(0, 31), { alg: 'HS256' }),
  ],
  ['CVE-2026-32597 (PyJWT)', 'crit is not ignored', 'ERR_JWT_HEADER', withHeader({ crit: ['https://x/policy'] })],
  [
    'CVE-2026-48523 (PyJWT)',
    'the computed algorithm is the allowed one',
    'ERR_JWT_ALGORITHM',
    { token: withHeader({ alg: 'HS512' }, hmac(secret)), options: { algorithms: ['HS512'] } },
  ],
  ['CVE-2026-48525 (PyJWT)', 'b64 false causes no work', 'ERR_JWT_HEADER', withHeader({ b64: false, crit: ['b64'] })],
  [
    'CVE-2016-7036 (python-jose)',
    'a MAC with a correct prefix is refused',
    'ERR_JWT_SIGNATURE',
    forge(header, claims, (input) =>
      Buffer.concat([hmac(secret)(input).subarray(0, 31), Buffer.of(hmac(secret)(input).readUInt8(31) ^ 1)]),
    ),
  ],
  [
    'CVE-2024-33663 (python-jose)',
    'an OpenSSH EC key is not accepted as a secret',
    'ERR_JWT_ALGORITHM',
    confused(ssh, { ...esHeader, alg: 'HS256' }, ec as unknown as typeof rsa),
  ],
  [
    'CVE-2024-33664, CVE-2024-29370 (python-jose)',
    'no JWE is inflated',
    'ERR_JWT_MALFORMED',
    jwe('dir', { zip: 'DEF' }),
  ],
  [
    'CVE-2025-61152 (python-jose, disputed)',
    'no option disables the signature check',
    'ERR_JWT_OPTION',
    { token: good, options: { verify_signature: false } },
    { token: good, options: { verifySignature: false } },
  ],
  ['python-jose issue 413', 'crit is not ignored', 'ERR_JWT_HEADER', withHeader({ crit: ['exp'] })],
  [
    'CVE-2024-37568 (authlib)',
    'a public key is not accepted as a secret',
    'ERR_JWT_ALGORITHM',
    confused(ssh, { ...esHeader, alg: 'HS256' }, ec as unknown as typeof rsa),
  ],
  [
    'CVE-2025-61920 (authlib)',
    'an oversized segment is not decoded',
    'ERR_JWT_MALFORMED',
    `${head}.${'A'.repeat(1 << 22)}.${signature}`,
    `${'A'.repeat(1 << 22)}.${body}.${signature}`,
  ],
  ['CVE-2025-62706 (authlib)', 'no JWE is inflated', 'ERR_JWT_MALFORMED', jwe('RSA-OAEP', { zip: 'DEF' })],
  ['CVE-2025-59420 (authlib)', 'crit is not ignored', 'ERR_JWT_HEADER', withHeader({ crit: ['bork'], bork: 1 })],
  [
    'CVE-2026-28802 (authlib)',
    'alg none does not verify with an empty signature',
    'ERR_JWT_ALGORITHM',
    withHeader({ alg: 'none' }, noSignature),
    withHeader({ alg: 'None' }, noSignature),
  ],
  [
    'CVE-2026-27962 (authlib)',
    'without keys the jwk of the header is not used',
    'ERR_JWT_KEY',
    keysGiven(null, withHeader({ jwk: rsaPublic })),
    keysGiven(undefined, withHeader({ jwk: rsaPublic })),
  ],
  [
    'CVE-2026-25537 (Rust jsonwebtoken)',
    'an nbf of the wrong type is refused, not treated as absent',
    'ERR_JWT_CLAIM',
    withClaims({ nbf: `${now + 9999}` }),
    withClaims({ exp: null }),
  ],
  [
    'CVE-2026-45363 (ruby-jwt)',
    'an empty or missing key verifies nothing',
    'ERR_JWT_KEY',
    keysGiven('', forge(header, claims, hmac(''))),
    keysGiven(null, forge(header, claims, hmac(''))),
    load(Buffer.alloc(0), { alg: 'HS256' }),
  ],
  [
    'CVE-2026-44699 (libjwt)',
    'an RSA JWK without alg is not used as an HMAC key of length zero',
    'ERR_JWT_ALGORITHM',
    confused('', rsHeader, importKey({ kty: 'RSA', n: rsaPublic.n ?? '', e: 'AQAB', kid: 'rs-1' }) as typeof rsa),
  ],
  [
    'CVE-2026-23993 (HarbourJwt)',
    'an unknown algorithm does not compare two empty signatures',
    'ERR_JWT_ALGORITHM',
    withHeader({ alg: 'HS999' }, noSignature),
  ],
  [
    'CVE-2026-29000 (pac4j)',
    'an encrypted token is not accepted as a signed one',
    'ERR_JWT_MALFORMED',
    jwe('RSA-OAEP-256'),
    jwe('none'),
  ],
  [
    'CVE-2026-55165 (Lemur)',
    'the algorithm of an unverified header is not used',
    'ERR_JWT_ALGORITHM',
    confused(pem),
    withHeader({ alg: 'none' }, noSignature),
  ],
  [
    'HAProxy jwt_verify (2026)',
    'the length of a signature is checked before it is used',
    'ERR_JWT_SIGNATURE',
    { token: forge(esHeader, claims, () => Buffer.alloc(5000, 1)), keys: ec },
  ],
  [
    'CVE-2020-26160 (jwt-go)',
    'an aud of another type does not match',
    'ERR_JWT_CLAIM',
    withClaims({ aud: [[audience]] }),
    withClaims({ aud: [audience, 1] }),
  ],
  [
    'CVE-2024-51744 (golang-jwt)',
    'only tokens with a valid signature are reported as expired',
    'ERR_JWT_SIGNATURE',
    forge(header, { ...claims, exp: 1 }, () => Buffer.alloc(32)),
  ],
  [
    'CVE-2025-30204 (golang-jwt)',
    'a flood of dots is not split',
    'ERR_JWT_MALFORMED',
    '.'.repeat(1 << 20),
    '.'.repeat(8192),
  ],
  ['CVE-2024-28180 (go-jose)', 'no JWE is inflated', 'ERR_JWT_MALFORMED', jwe('dir', { zip: 'DEF' })],
  ['CVE-2025-27144 (go-jose)', 'a flood of dots is not split', 'ERR_JWT_MALFORMED', `${good}${'.'.repeat(7000)}`],
  [
    'CVE-2022-21449 (Java)',
    'r = s = 0 is refused as a signature',
    'ERR_JWT_SIGNATURE',
    { token: forge(esHeader, claims, () => Buffer.alloc(64)), keys: ec },
  ],
  [
    'CVE-2019-17195 (Nimbus)',
    'invalid JSON is refused with a typed error',
    'ERR_JWT_MALFORMED',
    forge(header, '{"a":'),
    forge('{', claims),
    forge(header, '"'.repeat(99)),
  ],
  ['CVE-2023-52428 (Nimbus)', 'p2c causes no work', 'ERR_JWT_MALFORMED', jwe('PBES2-HS512+A256KW', { p2c: 1e9 })],
  [
    'CVE-2025-53864 (Nimbus)',
    'deep JSON is refused before it is parsed',
    'ERR_JWT_MALFORMED',
    withText(`"x":${'{"a":'.repeat(600)}1${'}'.repeat(600)}`),
    withText(`"x":${'['.repeat(2800)}`),
  ],
  [
    'CVE-2022-39227 (python-jwt)',
    'a string that is both JSON and compact is refused',
    'ERR_JWT_MALFORMED',
    `{"${head}.${base64url('{"sub":"root"}')}.":"","protected":"${head}","payload":"${body}","signature":"${signature}"}`,
  ],
  [
    'CVE-2022-3102 (jwcrypto)',
    'a JWS is not accepted as a JWE, or vice versa',
    'ERR_JWT_MALFORMED',
    jwe('A128KW', { cty: 'JWT' }),
  ],
  ['CVE-2023-6681 (jwcrypto)', 'p2c causes no work', 'ERR_JWT_MALFORMED', jwe('PBES2-HS256+A128KW', { p2c: 1e8 })],
  ['CVE-2024-28102 (jwcrypto)', 'no JWE is inflated', 'ERR_JWT_MALFORMED', jwe('A256KW', { zip: 'DEF' })],
  [
    'CVE-2021-46743 (php-jwt)',
    'a kid does not lead to a key of another algorithm',
    'ERR_JWT_ALGORITHM',
    { token: withHeader({ kid: 'ec-1' }), keys: [hs256, ec] },
  ],
  [
    'CVE-2025-45769 (php-jwt)',
    'a short secret is refused',
    'ERR_JWT_KEY',
    load(secret.subarray(0, 16), { alg: 'HS256' }),
  ],
  [
    'CVE-2024-48948, CVE-2024-48949, CVE-2024-42459 to CVE-2024-42461 (elliptic)',
    'signatures in DER, truncated or out of range are refused',
    'ERR_JWT_SIGNATURE',
    { token: forge(esHeader, claims, () => Buffer.from('3006020101020101', 'hex')), keys: ec },
    { token: forge(esHeader, claims, () => Buffer.alloc(63, 1)), keys: ec },
    { token: forge(esHeader, claims, () => Buffer.alloc(64, 255)), keys: ec },
  ],
  [
    'CVE-2026-31813 (Supabase Auth)',
    'the issuer of the token is compared with the trusted one',
    'ERR_JWT_ISSUER',
    withClaims({ iss: 'https://accounts.example' }),
  ],
  [
    'CVE-2023-48309 (next-auth)',
    'a token of an incomplete log-in is not accepted as an access token',
    'ERR_JWT_TYPE',
    withHeader({ typ: 'JWT' }),
    withHeader({ typ: undefined }),
  ],
]

for (const [id, lesson, code, ...attacks] of advisories) {
  test(`${id}: ${lesson}`, () => {
    assert.ok(attacks.length > 0)
    attacks.forEach((attack, index) => {
      assert.equal(codeOf(attack), code, `attack ${index}`)
    })
  })
}

test('CVE-2026-35039 (fast-jwt), lua-resty-openidc 399 and 569: a verified token does not affect the result for another token, key or option', () => {
  for (let i = 0; i < 3; i++) assert.ok(verify(good, hs256, held))
  assert.equal(
    codeOf(`${head}.${base64url(JSON.stringify({ ...claims, sub: 'root' }))}.${signature}`),
    'ERR_JWT_SIGNATURE',
  )
  assert.equal(codeOf({ token: good, options: { issuer: 'https://other' } }), 'ERR_JWT_ISSUER')
  assert.equal(codeOf({ token: good, options: { audience: 'https://other' } }), 'ERR_JWT_AUDIENCE')
  assert.equal(codeOf({ token: good, options: { currentDate: new Date((now + 840) * 1000) } }), 'ERR_JWT_EXPIRED')
  assert.equal(
    codeOf({ token: good, keys: importKey(Buffer.alloc(32, 'other'), { alg: 'HS256', kid: 'hs-1' }) }),
    'ERR_JWT_SIGNATURE',
  )
})

test('CVE-2026-48524 (PyJWT): unknown kids do not cause unlimited requests, and a failed request keeps the valid keys', async () => {
  let requests = 0
  const server = createServer((_, response) => {
    response.writeHead(requests++ === 0 ? 200 : 500).end(JSON.stringify({ keys: [rsaPublic] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  let clock = 0
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const keys = createRemoteJWKSet(url, { now: () => clock })
  const first = await keys.keysFor(withHeader({ kid: 'rs-1' }))
  clock = 30_000
  const later = await Promise.all(Array.from({ length: 200 }, (_, i) => keys.keysFor(withHeader({ kid: `x${i}` }))))
  assert.equal(requests, 2)
  assert.ok(later.every((set) => set === first))
  assert.deepEqual(
    first.keys.map(({ kid }) => kid),
    ['rs-1'],
  )
  server.close()
})

test('CVE-2026-49998 (Centrifugo): keys of one issuer are not found under another’s kid', () => {
  const mine = createLocalJWKSet({ keys: [{ ...rsaPublic, kid: 'one' }] })
  const theirs = createLocalJWKSet({ keys: [{ ...ecPublic, kid: 'one' }] })
  assert.notEqual(mine.get('one'), theirs.get('one'))
  const token = withHeader({ kid: 'one', alg: 'RS256' }, () => Buffer.alloc(256, 1))
  assert.equal(codeOf({ token, keys: theirs }), 'ERR_JWT_ALGORITHM')
  assert.equal(codeOf({ token, keys: mine }), 'ERR_JWT_SIGNATURE')
})
