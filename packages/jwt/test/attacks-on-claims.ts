import type { Jwk } from '@sealwax/jwt'
import { createLocalJWKSet, exportJwk, importKey, verify } from '@sealwax/jwt'
import type { Attack, Row } from './attack.ts'
import {
  ec,
  ecPublic,
  edPublic,
  forge,
  good,
  held,
  hs256,
  rsaPublic,
  withClaims,
  withHeader,
  withText,
} from './attack.ts'
import { audience, base64url, claims, header, issuer, now, rsaJwk, secret } from './craft.ts'

const text = JSON.stringify(claims)
const nested = (levels: number) => `"x":${'['.repeat(levels)}${']'.repeat(levels)}`

const wrongTimes: unknown[] = ['1800000840', '2027-01-15', '', null, true, [now], { valueOf: 1 }, `${now + 840}`]
const notTexts: unknown[] = [0, 7, null, true, ['usr_1'], { $ne: null }]

export const claimContents: readonly Row[] = [
  {
    name: 'exp, nbf or iat of the wrong type, which is not the same as absent',
    source: 'RFC 7519 §4.1.4–4.1.6; CVE-2026-25537',
    code: 'ERR_JWT_CLAIM',
    attacks: wrongTimes.flatMap((value) => ['exp', 'nbf', 'iat'].map((claim) => withClaims({ [claim]: value }))),
  },
  {
    name: 'a number beyond the range of a double',
    source: 'policy; RFC 8259 §6',
    code: 'ERR_JWT_MALFORMED',
    attacks: ['"x":1e400', '"nbf":-1e400', '"x":[1e999]']
      .map(withText)
      .concat(forge(header, text.replace(/"exp":\d+/, '"exp":1e400'))),
  },
  {
    name: 'exp later than a day after iat: milliseconds, the year 2100, 2⁵³, 1e308; or not after iat',
    source: 'policy; OWASP ASVS 5.0 7.3.2; CVE-2025-2559',
    code: 'ERR_JWT_CLAIM',
    attacks: [
      ...[now * 1000, 4_102_444_800, 2 ** 53 + 1, 1e308, now + 86_400].map((exp) => withClaims({ exp })),
      withClaims({ iat: now + 50, exp: now + 50 }),
      withClaims({ iat: now + 50, exp: now + 40 }),
    ],
  },
  {
    name: 'an exp that has passed: 0, −1, −0, 1e−300, long ago, now, just before, the end of the tolerance',
    source: 'RFC 7519 §4.1.4',
    code: 'ERR_JWT_EXPIRED',
    attacks: [
      ...[0, -1, -0, 1e-300, now - 1, now, now - 0.001].map(
        (exp): Attack => ({
          token: forge({ ...header, typ: 'JWT' }, { ...claims, iat: undefined, exp }),
          options: { typ: 'JWT' },
        }),
      ),
      { token: withClaims({ exp: now - 5 }), options: { clockTolerance: 5 } },
    ],
  },
  {
    name: 'a token without exp, iat, iss or aud',
    source: 'RFC 9068 §2.2',
    code: 'ERR_JWT_CLAIM_MISSING',
    attacks: ['exp', 'iat', 'iss', 'aud'].map((claim) => withClaims({ [claim]: undefined })),
  },
  {
    name: 'a token issued in the future',
    source: 'RFC 7519 §4.1.5; policy for iat',
    code: 'ERR_JWT_NOT_YET_VALID',
    attacks: [withClaims({ nbf: now + 1 }), withClaims({ nbf: 1e300 }), withClaims({ iat: now + 61 })],
  },
  {
    name: 'iss that is not a string',
    source: 'RFC 7519 §4.1.1; CVE-2025-30144',
    code: 'ERR_JWT_CLAIM',
    attacks: [[issuer], ['https://evil', issuer], { 0: issuer }, 1, null, true].map((iss) => withClaims({ iss })),
  },
  {
    name: 'iss that is almost the expected one',
    source: 'RFC 7519 §4.1.1; CVE-2024-53861',
    code: 'ERR_JWT_ISSUER',
    attacks: [
      ...['', issuer.slice(0, -1), 'https://', `${issuer}/`, `${issuer}.evil`, ` ${issuer}`, issuer.toUpperCase()],
      ...[issuer.replace('a', '\u0430'), `${issuer}\0`, `https://evil/${issuer}`, issuer.replace('https', 'http')],
    ].map((iss) => withClaims({ iss })),
  },
  {
    name: 'aud that is not a string or a list of strings',
    source: 'RFC 7519 §4.1.3; CVE-2020-26160',
    code: 'ERR_JWT_CLAIM',
    attacks: [{ 0: audience }, 1, null, true, [[audience]], [audience, 1], [null]].map((aud) => withClaims({ aud })),
  },
  {
    name: 'aud that is another one, or almost the expected one',
    source: 'RFC 7519 §4.1.3; CVE-2025-62610',
    code: 'ERR_JWT_AUDIENCE',
    attacks: [
      ...[
        '',
        [],
        [''],
        ['https://other'],
        'https://other',
        audience.slice(0, -1),
        `${audience}/`,
        `${audience} x`,
        `x,${audience}`,
      ],
      ...['*', '.*', audience.toUpperCase(), [`${audience}x`, 'y'], `${'a'.repeat(40)}!`],
    ].map((aud) => withClaims({ aud })),
  },
  {
    name: 'regular expressions in the options, which an attacker can make run forever',
    source: 'CVE-2026-35041; GHSA-3j8v-cgw4-2g6q',
    code: 'ERR_JWT_OPTION',
    attacks: [{ audience: /a/ }, { audience: [/a/g] }, { issuer: /a/ }, { typ: /a/ }].map((options) => ({
      token: good,
      options,
    })),
  },
  {
    name: 'sub, jti, client_id or scope of the wrong type, empty, blank, overlong or with control characters',
    source: 'RFC 7519 §4.1.2, §4.1.7; RFC 9068 §2.2',
    code: 'ERR_JWT_CLAIM',
    attacks: [
      ...['sub', 'jti', 'client_id'].flatMap((claim) =>
        [...notTexts, '', ' ', 'a\0', 'a\r\nb', '\u001b[2J', 'a\u0085', 'x'.repeat(257), 'x'.repeat(2048)].map(
          (value) => withClaims({ [claim]: value }),
        ),
      ),
      ...[['read'], 1, null, {}].map((scope) => withClaims({ scope })),
    ],
  },
  {
    name: 'a token of another type, or one with its type in the payload',
    source: 'RFC 9068 §4; RFC 8725 §3.11; CVE-2023-48309; CVE-2026-31813',
    code: 'ERR_JWT_TYPE',
    attacks: [
      ...[
        'JWT',
        'id+jwt',
        'rt+jwt',
        'logout+jwt',
        'dpop+jwt',
        '',
        'at+jwt; charset=utf-8',
        'at+jwt ',
        'application/jwt',
        'at',
        undefined,
      ],
    ].map((typ) => forge({ ...header, typ }, { ...claims, typ: 'at+jwt' })),
  },
  {
    name: 'typ that is not a string',
    source: 'RFC 7515 §4.1.9',
    code: 'ERR_JWT_HEADER',
    attacks: [['at+jwt'], 1, null, {}, true].map((typ) => withHeader({ typ })),
  },
  {
    name: 'a refresh token with the typ of an access token',
    source: 'RFC 8725 §3.12',
    code: 'ERR_JWT_CLAIM',
    attacks: [withClaims({ token_use: 'refresh' }), withClaims({ token_type: 'refresh' })],
  },
  {
    name: 'a sender-constrained token without proof',
    source: 'RFC 9449 §7.2; RFC 8705 §3',
    code: 'ERR_JWT_PROOF_REQUIRED',
    attacks: [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null].map((cnf) => withClaims({ cnf })),
  },
]

const rsa = rsaJwk()
const modulus = Buffer.from(rsa.n ?? '', 'base64url')
const rsaOf = (n: Uint8Array, e = 'AQAB') => ({ kty: 'RSA', n: base64url(n), e })
const load = (jwk: object, options?: object) => () => importKey(jwk as Jwk, options)
const smallOrder = Buffer.alloc(32)
smallOrder[0] = 1

export const keysAtLoad: readonly Row[] = [
  {
    name: 'a secret shorter than the hash, or obviously not random',
    source: 'RFC 7518 §3.2; CVE-2025-45768; CVE-2025-45769',
    code: 'ERR_JWT_KEY',
    attacks: [
      ...(
        [
          ['HS256', 16],
          ['HS256', 31],
          ['HS384', 47],
          ['HS512', 32],
          ['HS512', 63],
        ] as const
      ).map(([alg, size]) =>
        load(secret.subarray(0, size).length < size ? Buffer.alloc(size, 'ab') : secret.subarray(0, size), { alg }),
      ),
      load(Buffer.alloc(32), { alg: 'HS256' }),
    ],
  },
  {
    name: 'an RSA key under 2048 or over 4096 bits, with e = 1, even or huge, or an even modulus',
    source: 'RFC 7518 §3.3; CVE-2023-29409',
    code: 'ERR_JWT_KEY',
    attacks: [
      load(rsaOf(modulus.subarray(0, 128))),
      load(rsaOf(Buffer.alloc(2048, 0xff))),
      load(rsaOf(Buffer.concat([modulus, modulus, Buffer.of(255)]))),
      ...['AQ', 'Ag', 'AQAA', 'AAAAAQ', 'AQAAAAE', 'AA'].map((e) => load(rsaOf(modulus, e))),
      load(rsaOf(Buffer.concat([modulus.subarray(0, 255), Buffer.of(2)]))),
      load(rsaOf(Buffer.concat([Buffer.alloc(128), modulus.subarray(0, 128)]))),
    ],
  },
  {
    name: 'a key for encryption, without verify, off its curve, or with a coordinate of another length',
    source: 'RFC 7517 §4.2, §4.3; RFC 7518 §6.2.1.2; CVE-2017-16007',
    code: 'ERR_JWT_KEY',
    attacks: [
      load({ ...ecPublic, use: 'enc' }),
      load({ ...ecPublic, key_ops: ['encrypt'] }),
      load({ ...ecPublic, key_ops: ['verify', 'verify'] }),
      load({ ...ecPublic, y: ecPublic.x }),
      load({ ...ecPublic, x: base64url(Buffer.from(ecPublic.x ?? '', 'base64url').subarray(1)) }),
      load({ ...ecPublic, x: base64url(Buffer.concat([Buffer.of(0), Buffer.from(ecPublic.x ?? '', 'base64url')])) }),
      load({ ...ecPublic, x: `${ecPublic.x}=` }),
    ],
  },
  {
    name: 'a key that is a secret and an asymmetric key at the same time',
    source: 'RFC 7517 §4.1; RFC 7518 §6.4.1',
    code: 'ERR_JWT_KEY',
    attacks: [
      load({ ...ecPublic, k: base64url(secret) }),
      load({ ...exportJwk(ec, { private: true }), k: base64url(secret) }),
      load({ ...rsa, k: base64url(secret) }),
    ],
  },
  {
    name: 'an Ed25519 key of small order, or not reduced',
    source: 'RFC 8032 §5.1.3; RFC 8725 §3.4',
    code: 'ERR_JWT_KEY',
    attacks: [smallOrder, Buffer.alloc(32), Buffer.alloc(32, 0xff)].map((x) => load({ ...edPublic, x: base64url(x) })),
  },
  {
    name: 'a set with a private key, with both secrets and public keys, or with nothing usable',
    source: 'RFC 7517 §9.2; Wycheproof JWK 1',
    code: 'ERR_JWT_KEY_SET',
    attacks: [
      () => createLocalJWKSet({ keys: [exportJwk(ec, { private: true })] }),
      () => createLocalJWKSet({ keys: [ecPublic, { kty: 'oct', k: base64url(secret), alg: 'HS256' }] }),
      () => createLocalJWKSet({ keys: [{ ...rsaPublic, use: 'enc' }] }),
      () => createLocalJWKSet({ keys: [] }),
    ],
  },
]

/** Valid tokens that are close to a refused one. */
export const positives: readonly (() => unknown)[] = [
  ...['AT+JWT', 'application/at+jwt'].map((typ) => () => verify(withHeader({ typ }), hs256, held)),
  ...[
    { aud: ['x', audience] },
    { sub: 'x'.repeat(256) },
    { iat: now + 60, exp: now + 61 },
    { exp: now - 60 + 86_400 },
    { jti: undefined },
  ].map((changed) => () => verify(withClaims(changed), hs256, held)),
  ...[nested(31), Array.from({ length: 248 }, (_, i) => `"m${i}":0`).join(','), '"x":"\\ud83d\\ude00"'].map(
    (more) => () => verify(withText(more), hs256, held),
  ),
  () => verify(forge(header, ` ${text}\n`), hs256, held),
]
