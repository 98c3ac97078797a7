import { constants, createHash, privateEncrypt } from 'node:crypto'
import { importKey, verify } from '@sealwax/jwt'
import type { Attack, Row } from './attack.ts'
import {
  ec,
  ecHeader,
  ecSign,
  ed,
  edHeader,
  edSign,
  forge,
  good,
  held,
  hmac,
  hs256,
  rsa,
  rsaHeader,
  rsaPrivate,
  rsaSign,
} from './attack.ts'
import { base64url, claims, header, rsaJwk, secret } from './craft.ts'

const [head, body, signature] = good.split('.') as [string, string, string]

const against = (keys: typeof hs256, tokens: readonly string[], options = {}): Attack[] =>
  tokens.map((token) => ({ token, keys, options }))
/**
 * An RSA signature over a handmade encoded message; the valid one is 00 01, FF…, 00, DigestInfo.
 */
function rsaBlock(start: string, digestInfo: string, rest = '') {
  return (input: string) => {
    const digest = createHash('sha256').update(input).digest('hex')
    const tail = Buffer.from(`00${digestInfo}${digest}${rest}`, 'hex')
    const lead = Buffer.from(start, 'hex')
    const filling = Buffer.alloc(256 - lead.length - tail.length, 255)
    return privateEncrypt({ key: rsaPrivate, padding: constants.RSA_NO_PADDING }, Buffer.concat([lead, filling, tail]))
  }
}

const genuineInfo = '3031300d060960864801650304020105000420'
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const scalar = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
const number = (octets: Uint8Array) => BigInt(`0x${Buffer.from(octets).toString('hex')}`)
const full = (1n << 256n) - 1n
const edOrder = (1n << 252n) + 27742317777372353535851937790883648493n
const little = (octets: Uint8Array) => number(Uint8Array.from(octets).reverse())

/** The other valid signature for every (r, s). */
export const malleableTwin = forge(ecHeader, claims, (input) => {
  const octets = ecSign(input)
  return Buffer.concat([octets.subarray(0, 32), scalar(order - number(octets.subarray(32)))])
})

export const signatureOctets: readonly Row[] = [
  {
    name: 'an ECDSA signature whose r or s is zero, the order, one, or all ones',
    source: 'CVE-2022-21449',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(
      ec,
      [0n, 1n, order, full].flatMap((r) =>
        [0n, 1n, order, full].map((s) => forge(ecHeader, claims, () => Buffer.concat([scalar(r), scalar(s)]))),
      ),
    ),
  },
  {
    name: 'an ECDSA signature in DER, shorter, longer, or with r and s swapped',
    source: 'RFC 7518 §3.4',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(ec, [
      forge(ecHeader, claims, (input) => ecSign(input, 'der')),
      forge(ecHeader, claims, (input) => ecSign(input).subarray(0, 63)),
      forge(ecHeader, claims, (input) => Buffer.concat([ecSign(input), Buffer.of(0)])),
      forge(ecHeader, claims, (input) =>
        Buffer.concat([Buffer.of(0), ecSign(input).subarray(0, 32), Buffer.of(0), ecSign(input).subarray(32)]),
      ),
      forge(ecHeader, claims, (input) => Buffer.concat([ecSign(input).subarray(32), ecSign(input).subarray(0, 32)])),
    ]),
  },
  {
    name: 'a signature of 21830 characters, before it is decoded',
    source: 'HAProxy jwt_verify overflow (2026)',
    code: 'ERR_JWT_MALFORMED',
    attacks: against(ec, [forge(ecHeader, claims, () => Buffer.alloc(16_372, 1))]),
  },
  {
    name: 'a MAC that is truncated, extended, written in hexadecimal, of another hash, or empty',
    source: 'RFC 7518 §3.2; CVE-2016-7036',
    code: 'ERR_JWT_SIGNATURE',
    attacks: [
      ...[16, 1, 0].map((length) => forge(header, claims, (input) => hmac(secret)(input).subarray(0, length))),
      forge(header, claims, (input) => Buffer.concat([hmac(secret)(input), Buffer.of(0)])),
      forge(header, claims, (input) => hmac(secret)(input).toString('hex')),
      ...['sha384', 'sha512', 'sha1'].map((hash) => forge(header, claims, hmac(secret, hash))),
      forge(header, claims, (input) => hmac(secret, 'sha512')(input).subarray(0, 32)),
    ],
  },
  {
    name: 'an RSA signature that is 0, 1, short or long',
    source: 'RFC 8017 §8.2.2',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(rsa, [
      forge(rsaHeader, claims, () => Buffer.alloc(256)),
      forge(rsaHeader, claims, () => Buffer.concat([Buffer.alloc(255), Buffer.of(1)])),
      forge(rsaHeader, claims, (input) => rsaSign('sha256')(input).subarray(1)),
      forge(rsaHeader, claims, (input) => Buffer.concat([Buffer.of(0), rsaSign('sha256')(input)])),
    ]),
  },
  {
    name: 'an RSA signature whose padding is not exactly PKCS #1 v1.5',
    source: 'RFC 8017 §9.2; Bleichenbacher 2006',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(rsa, [
      forge(rsaHeader, claims, rsaBlock('0001ffffffffffffffff00', genuineInfo)),
      forge(rsaHeader, claims, rsaBlock('0001', genuineInfo, '00'.repeat(100))),
      forge(rsaHeader, claims, rsaBlock('0002', genuineInfo)),
      forge(rsaHeader, claims, rsaBlock('0000', genuineInfo)),
      forge(rsaHeader, claims, rsaBlock('0001', '302f300b0609608648016503040201' + '0420')),
      forge(rsaHeader, claims, rsaBlock('0001', '')),
    ]),
  },
  {
    name: 'an RSA-PSS signature whose salt is not as long as the hash',
    source: 'RFC 7518 §3.5',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(
      importKey(rsaJwk(), { alg: 'PS256', kid: 'rs-1' }),
      [0, 20, 64].map((salt) => forge({ ...rsaHeader, alg: 'PS256' }, claims, rsaSign('sha256', salt))),
    ),
  },
  {
    name: 'an Ed25519 signature with S + L, or of zeros',
    source: 'RFC 8032 §5.1.7',
    code: 'ERR_JWT_SIGNATURE',
    attacks: against(ed, [
      forge(edHeader, claims, () => Buffer.alloc(64)),
      forge(edHeader, claims, (input) => {
        const octets = edSign(input)
        return Buffer.concat([octets.subarray(0, 32), scalar(little(octets.subarray(32)) + edOrder).reverse()])
      }),
    ]),
  },
  {
    name: 'a header or payload that was replaced, a spliced signature, a signature over other bytes',
    source: 'RFC 7515 §5.2',
    code: 'ERR_JWT_SIGNATURE',
    attacks: [
      `${head}.${base64url(JSON.stringify({ ...claims, sub: 'root' }))}.${signature}`,
      `${base64url(JSON.stringify({ ...header, note: 1 }))}.${body}.${signature}`,
      `${head}.${body}.${forge(header, { ...claims, sub: 'root' }).split('.')[2]}`,
      forge(header, claims, (input) =>
        hmac(secret)(
          input
            .split('.')
            .map((part) => Buffer.from(part, 'base64url').toString())
            .join('.'),
        ),
      ),
      forge(header, claims, (input) => hmac(secret)(input.split('.')[1] ?? '')),
      forge(header, claims, (input) => hmac(secret)(`${input}.`)),
    ],
  },
]

/** Unchanged, these are valid, so that no attack fails for another reason. */
export const controls: readonly (() => unknown)[] = [
  () => verify(good, hs256, held),
  () => verify(forge(rsaHeader, claims, rsaSign('sha256')), rsa, held),
  () => verify(forge(rsaHeader, claims, rsaBlock('0001', genuineInfo)), rsa, held),
  () =>
    verify(
      forge({ ...rsaHeader, alg: 'PS256' }, claims, rsaSign('sha256', 32)),
      importKey(rsaJwk(), { alg: 'PS256', kid: 'rs-1' }),
      held,
    ),
  () => verify(forge(ecHeader, claims, ecSign), ec, held),
  () => verify(forge(edHeader, claims, edSign), ed, held),
  () => verify(malleableTwin, ec, held),
]
