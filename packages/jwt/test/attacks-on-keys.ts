import type { KeyObject } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import type { Jwk, VerificationKey } from '@sealwax/jwt'
import { createLocalJWKSet, importKey } from '@sealwax/jwt'
import type { Attack, Row } from './attack.ts'
import {
  ec,
  ecHeader,
  ecPublic,
  ecSign,
  ed,
  edPublic,
  forge,
  good,
  hmac,
  hs256,
  noSignature,
  otherEcPublic,
  rsa,
  rsaHeader,
  rsaPublic,
  rsaSign,
  withHeader,
} from './attack.ts'
import { base64url, claims, header, rsaJwk, secret } from './craft.ts'

const publicObject = (jwk: Jwk) => createPublicKey({ key: { ...jwk }, format: 'jwk' })
const signature = good.split('.')[2]

const against = (keys: VerificationKey, tokens: readonly string[], options = {}): Attack[] =>
  tokens.map((token) => ({ token, keys, options }))
const load = (jwk: object, options?: object) => () => importKey(jwk as Jwk, options)

/** A public key in its common encodings, each of which an attacker can use as an HMAC secret. */
function spellings(key: KeyObject, jwk: Jwk): (string | Buffer)[] {
  const pem = String(key.export({ format: 'pem', type: 'spki' }))
  const der = key.export({ format: 'der', type: 'spki' })
  const raw = [jwk.n, jwk.x, jwk.y].flatMap((text) => (text === undefined ? [] : [Buffer.from(text, 'base64url')]))
  return [
    ...[pem, pem.trim(), `${pem}\n`, ` ${pem}`, `\n${pem}`, pem.replaceAll('\n', '\r\n')],
    ...[der, der.toString('base64'), JSON.stringify(jwk), Buffer.concat([Buffer.of(4), ...raw]), ...raw],
    ...(jwk.kty === 'RSA' ? [String(key.export({ format: 'pem', type: 'pkcs1' }))] : []),
    ...[pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'), `ssh-rsa ${der.toString('base64')} user@host`],
  ]
}

const confused = (key: Jwk, alg: string) =>
  spellings(publicObject(key), key).map((secretText) =>
    forge({ alg, kid: key.kid, typ: 'at+jwt' }, claims, hmac(secretText)),
  )

export const algorithmSelection: readonly Row[] = [
  {
    name: 'alg none in every spelling, without a signature',
    source: 'RFC 8725 §2.1, §3.1; CVE-2026-28802',
    code: 'ERR_JWT_ALGORITHM',
    attacks: ['none', 'None', 'NONE', 'nOnE', 'noNe', 'none ', 'none\0', 'n\u043ene'].map((alg) =>
      withHeader({ alg }, noSignature),
    ),
  },
  {
    name: 'alg none with two segments',
    source: 'RFC 7515 §7.1',
    code: 'ERR_JWT_MALFORMED',
    attacks: [withHeader({ alg: 'none' }, noSignature).slice(0, -1)],
  },
  {
    name: 'alg none with the original signature, or with garbage',
    source: 'RFC 7518 §3.6',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [
      `${withHeader({ alg: 'none' }, noSignature)}${signature}`,
      withHeader({ alg: 'none' }, () => '""'),
      withHeader({ alg: 'none' }),
    ],
  },
  {
    name: 'an unknown alg with any signature',
    source: 'CVE-2026-23993',
    code: 'ERR_JWT_ALGORITHM',
    attacks: ['HS999', '', 'RS1', 'ES256K', 'HS256/64', 'dir'].flatMap((alg) => [
      withHeader({ alg }, noSignature),
      withHeader({ alg }),
    ]),
  },
  {
    name: 'alg absent or not a string',
    source: 'RFC 7515 §4.1.1',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [undefined, null, 256, true, ['HS256'], { HS256: 1 }].map((alg) => withHeader({ alg })),
  },
  {
    name: 'alg named like a member of Object.prototype',
    source: 'CWE-1321',
    code: 'ERR_JWT_ALGORITHM',
    attacks: ['__proto__', 'constructor', 'toString'].map((alg) => withHeader({ alg }, noSignature)),
  },
  {
    name: 'alg in another case or with a space',
    source: 'RFC 7515 §4.1.1',
    code: 'ERR_JWT_ALGORITHM',
    attacks: ['hs256', 'Hs256', 'HS256 ', ' HS256'].map((alg) => withHeader({ alg })),
  },
  {
    name: 'a call whose list of algorithms is empty, undefined or contains none',
    source: 'RFC 8725 §3.1; CVE-2022-23540; CVE-2020-15084',
    code: 'ERR_JWT_OPTION',
    attacks: [[], undefined, ['none'], ['RS1'], 'HS256'].map((algorithms) => ({
      token: good,
      options: { algorithms },
    })),
  },
  {
    name: 'a supported alg that is not among the allowed ones',
    source: 'RFC 8725 §3.1',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [{ token: good, options: { algorithms: ['ES256', 'RS256'] } }],
  },
]

export const keyConfusion: readonly Row[] = [
  {
    name: 'an HMAC made with the RSA public key in any of its encodings',
    source: 'RFC 8725 §2.1; CVE-2015-9235; CVE-2026-34950',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [
      ...against(rsa, confused(rsaPublic, 'HS256')),
      ...against(rsa, confused(rsaPublic, 'HS512')),
      ...against(rsa, confused(rsaPublic, 'HS256'), { algorithms: ['RS256', 'HS256'] }),
    ],
  },
  {
    name: 'an HMAC made with an RSA key whose JWK has no alg',
    source: 'RFC 8725 §3.1; CVE-2026-22818; CVE-2026-44699',
    code: 'ERR_JWT_ALGORITHM',
    attacks: against(importKey({ kty: 'RSA', n: rsaPublic.n ?? '', e: 'AQAB', kid: 'rs-1' }), [
      ...confused(rsaPublic, 'HS256'),
      forge({ ...rsaHeader, alg: 'HS256' }, claims, hmac('')),
    ]),
  },
  {
    name: 'an HMAC made with the EC or Ed25519 public key in any of its encodings',
    source: 'RFC 8725 §2.1; CVE-2022-29217; CVE-2024-33663',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [...against(ec, confused(ecPublic, 'HS256')), ...against(ed, confused(edPublic, 'HS256'))],
  },
  {
    name: 'an HMAC made with an empty secret, or with the string "undefined" or "null"',
    source: 'RFC 7518 §3.2; RFC 8725 §3.5; CVE-2026-44351',
    code: 'ERR_JWT_SIGNATURE',
    attacks: ['', 'undefined', 'null', '[object Object]', 'secret', '\0'.repeat(32)].map((key) =>
      forge(header, claims, hmac(key)),
    ),
  },
  {
    name: 'a call with keys that are missing, empty or strings',
    source: 'CVE-2026-44351; CVE-2026-45363; CVE-2022-23529',
    code: 'ERR_JWT_KEY',
    attacks: [null, '', 'secret', Buffer.alloc(0), {}, { alg: 'HS256', kid: 'hs-1' }, [null], rsaPublic].map(
      (keys) => ({
        token: forge(header, claims, hmac('')),
        keys: keys as unknown as typeof hs256,
      }),
    ),
  },
  {
    name: 'the import of a secret that is empty, short, or the string "undefined" or "null"',
    source: 'RFC 7518 §3.2; RFC 8725 §3.5',
    code: 'ERR_JWT_KEY',
    attacks: ['', 'undefined', 'null', '[object Object]', 'secret', 's'.repeat(31)].map((text) =>
      load(Buffer.from(text), { alg: 'HS256' }),
    ),
  },
  {
    name: 'a valid signature by another algorithm than that of the key',
    source: 'RFC 8725 §3.1 (one key, one algorithm); CVE-2026-48523',
    code: 'ERR_JWT_ALGORITHM',
    attacks: [
      ...against(rsa, [
        forge({ ...rsaHeader, alg: 'RS512' }, claims, rsaSign('sha512')),
        forge({ ...rsaHeader, alg: 'PS256' }, claims, rsaSign('sha256', 32)),
      ]),
      ...against(
        importKey(rsaJwk(), { alg: 'PS256', kid: 'rs-1' }),
        [forge(rsaHeader, claims, rsaSign('sha256', 32))],
        {
          algorithms: ['RS256'],
        },
      ),
    ],
  },
  {
    name: 'the import of a key whose type or curve does not match the algorithm',
    source: 'RFC 7518 §3.4; RFC 8037 §3.1; CVE-2022-23539',
    code: 'ERR_JWT_KEY',
    attacks: [
      load({ ...ecPublic, alg: 'ES384' }),
      load({ ...ecPublic, alg: undefined }, { alg: 'ES512' }),
      load({ ...ecPublic, alg: 'EdDSA' }),
      load({ ...edPublic, alg: 'ES256' }),
      load({ ...ecPublic, alg: 'ES256K' }),
      load({ ...rsaPublic, alg: 'HS256' }),
      load({ ...ecPublic, crv: 'P-384' }),
    ],
  },
]

const attacker = rsaJwk()
const attackerPublic = { kty: 'RSA', n: attacker.n, e: 'AQAB', kid: 'ec-1' }
const oddKids = [
  ...[
    '../../etc/passwd',
    '/proc/sys/kernel/randomize_va_space',
    '/dev/null',
    "' OR 1=1 --",
    "x' UNION SELECT 'secret",
    'hs-1\0',
  ],
  ...['__proto__', 'constructor', 'HS-1', ' hs-1', 'hs-1\r\nX: y', '\u001b[31m', 'hs-2', '*', 'hs-1,hs-2'],
]

export const namedKeys: readonly Row[] = [
  {
    name: 'a key in the header (jwk, x5c), with or without the kid of a trusted key',
    source: 'RFC 7515 §4.1.3; CVE-2018-0114; CVE-2026-27962',
    code: 'ERR_JWT_SIGNATURE',
    attacks: [
      ...['ec-1', undefined].flatMap((kid) =>
        [{ jwk: attackerPublic }, { jwk: attacker }, { x5c: ['MIIB'] }].map((named) => ({
          token: forge({ ...ecHeader, kid, ...named }, claims, () => rsaSign('sha256')('x').subarray(0, 64)),
          keys: ec,
        })),
      ),
      withHeader({ jwk: { kty: 'oct', k: base64url('k'.repeat(32)) } }, hmac('k'.repeat(32))),
    ],
  },
  {
    name: 'a kid that is a path, a query, a name of Object.prototype, or almost the expected one',
    source: 'RFC 8725 §3.10; CWE-22; CWE-89; CWE-1321; CWE-117',
    code: 'ERR_JWT_KEY_UNKNOWN',
    attacks: oddKids.flatMap((kid) => [
      withHeader({ kid }),
      { token: withHeader({ kid }, hmac('')), keys: [hs256] },
      {
        token: withHeader({ kid }),
        keys: createLocalJWKSet({ keys: [{ kty: 'oct', k: base64url(secret), alg: 'HS256', kid: 'hs-1' }] }),
      },
    ]),
  },
  {
    name: 'a kid that is not a string of 1 to 256 characters',
    source: 'RFC 7515 §4.1.4',
    code: 'ERR_JWT_HEADER',
    attacks: [0, 1, null, true, ['hs-1'], { $ne: null }, '', 'k'.repeat(2048)].map((kid) => withHeader({ kid })),
  },
  {
    name: 'an unknown kid with a valid signature: keys are not tried one by one',
    source: 'RFC 8725 §3.1',
    code: 'ERR_JWT_KEY_UNKNOWN',
    attacks: [withHeader({ kid: 'other' }), { token: withHeader({ kid: 'other' }), keys: [hs256, ec] }],
  },
  {
    name: 'a token without kid if there are several keys',
    source: 'policy',
    code: 'ERR_JWT_KEY_UNKNOWN',
    attacks: [
      { token: withHeader({ kid: undefined }), keys: [hs256, ec] },
      {
        token: forge({ alg: 'ES256', typ: 'at+jwt' }, claims, ecSign),
        keys: createLocalJWKSet({ keys: [ecPublic, edPublic] }),
      },
    ],
  },
  {
    name: 'a set in which different keys share kid and algorithm, or a list with two keys of one kid',
    source: 'RFC 7517 §4.5; CVE-2021-46743',
    code: 'ERR_JWT_KEY_SET',
    attacks: [
      () => createLocalJWKSet({ keys: [ecPublic, { ...otherEcPublic, kid: ecPublic.kid }] }),
      { token: good, keys: [hs256, importKey(rsaJwk(), { kid: 'hs-1' })] },
    ],
  },
]
