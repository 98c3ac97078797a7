import { constants, sign as signOctets } from 'node:crypto'
import { compact, type Forge, hashLength, hmacSigner, pss } from '../forge.ts'
import { type Shape, withHeader } from './shape.ts'

type Change = readonly [name: string, source: string, change: (signature: Buffer) => Uint8Array]

/** Tokens whose signature does not match them. */
export function* signatureShapes(forge: Forge): Iterable<Shape> {
  for (const [name, source, change] of [...generalChanges(), ...changesOf(forge)]) {
    yield [`signature: ${name}`, source, withHeader(forge, {}, (input) => change(Buffer.from(forge.sign(input))))]
  }
  const good = compact(forge.header, forge.claims, forge.sign)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const root = Buffer.from(JSON.stringify({ ...forge.claims, sub: 'root' })).toString('base64url')
  yield ['the payload is another one', 'RFC 7515 §5.2', `${header}.${root}.${signature}`]
  const spaced = Buffer.from(`${JSON.stringify(forge.header)} `).toString('base64url')
  yield ['the header has a blank more', 'RFC 7515 §5.2', `${spaced}.${payload}.${signature}`]
  const other = compact(forge.header, { ...forge.claims, jti: 'another' }, forge.sign).split('.')[2]
  yield ['the signature is that of another token', 'RFC 7515 §5.2', `${header}.${payload}.${other}`]
  const decoded = () => forge.sign(`${JSON.stringify(forge.header)}.${JSON.stringify(forge.claims)}`)
  yield ['the signature is over the decoded JSON', 'RFC 7515 §5.2', withHeader(forge, {}, decoded)]
  yield ['the signature is over the payload alone', 'RFC 7515 §5.2', withHeader(forge, {}, () => forge.sign(payload))]
}

function generalChanges(): Change[] {
  return [
    ['empty', 'RFC 7515 §5.2', () => new Uint8Array()],
    ['its first bit is another', 'RFC 7515 §5.2', (octets) => flip(octets, 0, 0x80)],
    ['its last bit is another', 'RFC 7515 §5.2', (octets) => flip(octets, octets.length - 1, 1)],
    ['one octet short', 'RFC 7515 §5.2', (octets) => octets.subarray(0, -1)],
    ['one octet long', 'RFC 7515 §5.2', (octets) => Buffer.concat([octets, Buffer.alloc(1)])],
    ['one octet', 'RFC 7515 §5.2', (octets) => octets.subarray(0, 1)],
    ['all zero', 'CVE-2022-21449', (octets) => Buffer.alloc(octets.length)],
    ['all ones', 'CVE-2022-21449', (octets) => Buffer.alloc(octets.length, 0xff)],
    ['twice', 'RFC 7515 §5.2', (octets) => Buffer.concat([octets, octets])],
    ['as hexadecimal text', 'RFC 7515 §5.2', (octets) => Buffer.from(octets.toString('hex'))],
  ]
}

function flip(octets: Buffer, index: number, bit: number): Buffer {
  const changed = Buffer.from(octets)
  changed[index] = (changed[index] ?? 0) ^ bit
  return changed
}

function changesOf(forge: Forge): Change[] {
  switch (forge.alg.slice(0, 2)) {
    case 'ES':
      return ecdsaChanges()
    case 'Ed':
      return [['S is raised by the order of the group', 'RFC 8032 §5.1.7', raiseEd25519]]
    case 'HS':
      return hmacChanges(forge)
    case 'ML':
      return []
    default:
      return rsaChanges(forge)
  }
}

function ecdsaChanges(): Change[] {
  const halves = (octets: Buffer) =>
    [octets.subarray(0, octets.length / 2), octets.subarray(octets.length / 2)] as const
  const one = (length: number) => Buffer.concat([Buffer.alloc(length - 1), Buffer.from([1])])
  const rfc = 'RFC 7518 §3.4'
  return [
    ['r and s are swapped', rfc, (octets) => Buffer.concat([...halves(octets)].reverse())],
    ['r is zero', 'CVE-2022-21449', (octets) => Buffer.concat([Buffer.alloc(octets.length / 2), halves(octets)[1]])],
    ['s is zero', 'CVE-2022-21449', (octets) => Buffer.concat([halves(octets)[0], Buffer.alloc(octets.length / 2)])],
    ['r and s are one', 'CVE-2022-21449', (octets) => Buffer.concat([one(octets.length / 2), one(octets.length / 2)])],
    ['DER', rfc, (octets) => der(...halves(octets))],
    [
      'DER with a long length',
      rfc,
      (octets) => Buffer.concat([Buffer.from([0x30, 0x81]), der(...halves(octets)).subarray(1)]),
    ],
  ]
}

/** ECDSA-Sig-Value (RFC 3279 §2.2.3), as OpenSSL writes it. */
function der(...numbers: readonly Buffer[]): Buffer {
  const integers = numbers.map((number) => {
    const start = number.findIndex((octet) => octet !== 0)
    const body = number.subarray(start)
    const content = (body[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.alloc(1), body]) : body
    return Buffer.concat([Buffer.from([0x02, content.length]), content])
  })
  const content = Buffer.concat(integers)
  const length = content.length > 0x7f ? [0x81, content.length] : [content.length]
  return Buffer.concat([Buffer.from([0x30, ...length]), content])
}

/** The order of the group of Ed25519 (RFC 8032 §5.1). */
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

function raiseEd25519(octets: Buffer): Buffer {
  const s = BigInt(`0x${Buffer.from(octets.subarray(32)).reverse().toString('hex')}`) + ORDER
  const raised = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([octets.subarray(0, 32), raised])
}

function hmacChanges({ alg, header, claims, publicKey }: Forge): Change[] {
  const input = compact(header, claims, () => new Uint8Array()).slice(0, -1)
  const otherHash = alg === 'HS256' ? 'sha512' : 'sha256'
  const other = hmacSigner(publicKey.export(), otherHash)(input)
  return [
    ['cut to 16 octets', 'RFC 7518 §3.2', (octets) => octets.subarray(0, 16)],
    ['of another hash', 'RFC 7518 §3.2', () => other],
    [
      'of another hash, cut to length',
      'RFC 7518 §3.2',
      () => Buffer.concat([other, other]).subarray(0, hashLength(alg)),
    ],
  ]
}

function rsaChanges({ alg, header, claims, strangerKey }: Forge): Change[] {
  const input = Buffer.from(compact(header, claims, () => new Uint8Array()).slice(0, -1))
  const hash = `sha${alg.slice(2)}`
  const padding = constants.RSA_PKCS1_PADDING
  const one = (octets: Buffer) => Buffer.concat([Buffer.alloc(octets.length - 1), Buffer.from([1])])
  return [
    ['the number one', 'RFC 8017 §8.2.2', one],
    ['a zero octet before it', 'RFC 8017 §8.2.2', (octets) => Buffer.concat([Buffer.alloc(1), octets])],
    ['PKCS#1 v1.5 of a stranger', 'RFC 7518 §3.3', () => signOctets(hash, input, { key: strangerKey, padding })],
    ['PSS of a stranger', 'RFC 7518 §3.5', () => signOctets(hash, input, pss(strangerKey, 0))],
  ]
}
