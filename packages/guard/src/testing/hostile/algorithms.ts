import type { KeyObject } from 'node:crypto'
import { compact, encode, type Forge, hmacSigner } from '../forge.ts'
import { type Shape, withHeader } from './shape.ts'

const nothing = () => new Uint8Array()

/**
 * Tokens whose `alg` is not the algorithm of the key: `none`, unknown names, values that are not
 * names.
 */
export function* algorithmShapes(forge: Forge): Iterable<Shape> {
  const spellings = ['none', 'None', 'NONE', 'nOnE', 'noNe', 'none ', 'none\0', 'n\u043ene']
  for (const alg of spellings) {
    yield [`alg is ${JSON.stringify(alg)}, no signature`, 'RFC 8725 §3.1', withHeader(forge, { alg }, nothing)]
  }
  yield ['alg is none, under the signature of the key', 'RFC 7518 §3.6', withHeader(forge, { alg: 'none' })]
  yield ['alg is none, two segments', 'RFC 7515 §7.1', withHeader(forge, { alg: 'none' }, nothing).slice(0, -1)]
  yield [
    'alg is none, a signature of junk',
    'RFC 7518 §3.6',
    withHeader(forge, { alg: 'none' }, () => Buffer.from('{}')),
  ]
  for (const alg of ['HS999', 'HS256x', '']) {
    yield [`alg is ${JSON.stringify(alg)}, no signature`, 'CVE-2026-23993', withHeader(forge, { alg }, nothing)]
  }
  for (const alg of [undefined, null, 1, true, [forge.alg], { name: forge.alg }, '__proto__', 'constructor']) {
    yield [`alg is ${JSON.stringify(alg) ?? 'missing'}`, 'RFC 7515 §4.1.1', withHeader(forge, { alg })]
  }
  const others = [forge.alg.toLowerCase(), `${forge.alg} `, ` ${forge.alg}`, 'RS1', otherAlgorithm(forge.alg)]
  for (const alg of others) {
    if (alg !== forge.alg) yield [`alg is ${JSON.stringify(alg)}`, 'RFC 8725 §3.1', withHeader(forge, { alg })]
  }
}

function otherAlgorithm(alg: string): string {
  return alg === 'RS256' ? 'RS512' : 'RS256'
}

/**
 * HMAC with a key that is not secret: nothing, a common value, the `kid`, the public key in all
 * encodings.
 */
export function* keyShapes(forge: Forge): Iterable<Shape> {
  const guesses = { nothing: '', secret: 'secret', undefined: 'undefined', null: 'null', object: '[object Object]' }
  for (const [name, secret] of Object.entries(guesses)) {
    yield [`HS256 with the key ${name}`, 'RFC 7518 §3.2', hmacToken(forge, secret)]
  }
  yield ['HS256 with 32 zero octets', 'CVE-2026-44699', hmacToken(forge, new Uint8Array(32))]
  yield ['HS256 with the kid', 'RFC 8725 §3.1', hmacToken(forge, forge.kid)]
  if (forge.publicKey.type !== 'public') return
  for (const [name, secret] of publicSpellings(forge.publicKey)) {
    yield [`HS256 with the public key as ${name}`, 'CVE-2015-9235', hmacToken(forge, secret)]
  }
  const pem = forge.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const header = { ...forge.header, alg: 'HS512' }
  yield ['HS512 with the public key as PEM', 'CVE-2015-9235', compact(header, forge.claims, hmacSigner(pem, 'sha512'))]
}

function hmacToken(forge: Forge, secret: string | Uint8Array): string {
  return withHeader(forge, { alg: 'HS256' }, hmacSigner(secret))
}

function* publicSpellings(key: KeyObject): Iterable<[name: string, secret: string | Uint8Array]> {
  const pem = key.export({ type: 'spki', format: 'pem' }) as string
  const jwk = key.export({ format: 'jwk' })
  yield ['PEM', pem]
  yield ['PEM without the last newline', pem.trimEnd()]
  yield ['PEM with CRLF', pem.replaceAll('\n', '\r\n')]
  yield ['PEM after a blank', ` ${pem}`]
  yield ['PEM after a newline', `\n${pem}`]
  yield ['PEM in one line', pem.replaceAll('\n', '')]
  yield ['the base64 of PEM', pem.replace(/-----.*?-----|\n/g, '')]
  yield ['DER', key.export({ type: 'spki', format: 'der' })]
  yield ['JWK', JSON.stringify(jwk)]
  yield ['the first number of the JWK', Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url')]
  if (jwk.y !== undefined) yield ['a point', Buffer.from(`04${hex(jwk.x)}${hex(jwk.y)}`, 'hex')]
  if (jwk.n === undefined) return
  yield ['PKCS#1 PEM', key.export({ type: 'pkcs1', format: 'pem' }) as string]
  yield ['PKCS#1 DER', key.export({ type: 'pkcs1', format: 'der' })]
}

function hex(value: string | undefined): string {
  return Buffer.from(value ?? '', 'base64url').toString('hex')
}

/** Key material or key names in the header, chosen by the attacker. */
export function* headerKeyShapes(forge: Forge): Iterable<Shape> {
  const jwk =
    forge.strangerKey.type === 'private' ? publicPart(forge.strangerKey) : forge.strangerKey.export({ format: 'jwk' })
  const embedded = { ...jwk, alg: forge.alg }
  const asStranger = (members: object) => withHeader(forge, members, forge.signAsStranger)
  yield ['signed by a stranger under our kid', 'RFC 7515 §5.2', asStranger({})]
  yield ['signed by a stranger without a kid', 'RFC 7515 §5.2', asStranger({ kid: undefined })]
  yield ['brings its own jwk', 'CVE-2018-0114', asStranger({ jwk: embedded })]
  yield ['brings its own jwk, no kid', 'CVE-2026-27962', asStranger({ jwk: embedded, kid: undefined })]
  yield [
    'brings its own jwk, its own kid',
    'CVE-2018-0114',
    asStranger({ jwk: { ...embedded, kid: 'evil' }, kid: 'evil' }),
  ]
  for (const member of ['jku', 'x5u']) {
    for (const url of [
      'https://evil.test/jwks.json',
      'https://issuer.test@evil.test/',
      'http://169.254.169.254/',
      'file:///dev/null',
    ]) {
      yield [`${member} points to ${url}`, 'RFC 8725 §3.10', asStranger({ [member]: url, kid: undefined })]
    }
  }
  yield ['brings an x5c chain', 'RFC 7515 §4.1.6', asStranger({ x5c: [encode('no certificate')], kid: undefined })]
  const paths = ['../../../../dev/null', '/proc/sys/kernel/randomize_va_space', "x' UNION SELECT 'secret", '__proto__']
  for (const kid of [...paths, 'constructor', 'a\r\nSet-Cookie: a=b', '\u001b[2J', 'unknown', '', 1, null]) {
    yield [`kid is ${JSON.stringify(kid)}, signed by our key`, 'RFC 8725 §3.10', withHeader(forge, { kid })]
  }
  const around = {
    'ours and NUL': `${forge.kid}\0`,
    'ours and a blank': `${forge.kid} `,
    'ours in a list': [forge.kid],
    'ours in an object': { kid: forge.kid },
    'of 2048 characters': 'k'.repeat(2048),
  }
  for (const [name, kid] of Object.entries(around)) {
    yield [`kid is ${name}, signed by our key`, 'RFC 7515 §4.1.4', withHeader(forge, { kid })]
  }
}

function publicPart(key: KeyObject): object {
  const { d, p, q, dp, dq, qi, ...rest } = key.export({ format: 'jwk' })
  return rest
}
