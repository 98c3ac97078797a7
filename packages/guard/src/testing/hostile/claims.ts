import { compact, type Forge } from '../forge.ts'
import { jsonWith, type Shape, withClaims, withHeader, withPayload } from './shape.ts'

/**
 * Claims and types of tokens for another API or another time, and claims that are not well-formed.
 */
export function* claimShapes(forge: Forge): Iterable<Shape> {
  yield* timeShapes(forge)
  yield* nameShapes(forge, 'iss', 'RFC 7519 §4.1.1')
  yield* nameShapes(forge, 'aud', 'RFC 7519 §4.1.3')
  yield* identifierShapes(forge)
  yield* typeShapes(forge)
}

const NO_NUMBERS = ['9999999999', '2100-01-01T00:00:00Z', '', null, true, [9_999_999_999], { time: 9_999_999_999 }]

function* timeShapes(forge: Forge): Iterable<Shape> {
  const iat = Number(forge.claims.iat)
  for (const claim of ['exp', 'nbf', 'iat']) {
    for (const value of NO_NUMBERS) {
      yield [`${claim} is ${JSON.stringify(value)}`, 'RFC 7519 §2', withClaims(forge, { [claim]: value })]
    }
    for (const text of ['1e400', '-1e400']) {
      yield [`${claim} is ${text}`, 'RFC 7519 §2', withPayload(forge, jsonWith(forge.claims, claim, text))]
    }
  }
  const past = { 0: 0, '-1': -1, '1e-300': 1e-300, 'two minutes ago': iat - 120, 'a day ago': iat - 86_400 }
  for (const [name, exp] of Object.entries(past)) {
    yield [`exp is ${name}`, 'RFC 7519 §4.1.4', withClaims(forge, { exp, iat: Math.min(iat, exp) - 60 })]
  }
  yield ['exp is missing', 'RFC 9068 §2.2', withClaims(forge, { exp: undefined })]
  yield ['exp is in milliseconds', 'RFC 7519 §2', withClaims(forge, { exp: (iat + 900) * 1000 })]
  yield ['exp is in a hundred years', 'ASVS 7.3.2', withClaims(forge, { exp: iat + 100 * 365 * 86_400 })]
  yield ['exp is before iat', 'RFC 7519 §4.1.6', withClaims(forge, { iat: iat + 50, exp: iat + 40 })]
  yield ['nbf is in an hour', 'RFC 7519 §4.1.5', withClaims(forge, { nbf: iat + 3600 })]
  yield ['iat is in an hour', 'RFC 7519 §4.1.6', withClaims(forge, { iat: iat + 3600, exp: iat + 4500 })]
  yield ['iat is missing', 'RFC 9068 §2.2', withClaims(forge, { iat: undefined })]
}

/** An issuer or audience that resembles ours. */
function* nameShapes(forge: Forge, claim: 'iss' | 'aud', source: string): Iterable<Shape> {
  const ours = String([forge.claims[claim]].flat()[0])
  const near: Record<string, unknown> = {
    missing: undefined,
    'that of others': 'https://evil.test',
    empty: '',
    null: null,
    'a number': 1,
    true: true,
    'an object': { name: ours },
    'a list in a list': [[ours]],
    'an empty list': [],
    'a list of others': ['https://evil.test'],
    'ours and a slash': `${ours}/`,
    'ours and more': `${ours}.evil.test`,
    'ours cut short': ours.slice(0, -1),
    'ours in capitals': ours.toUpperCase(),
    'ours after a blank': ` ${ours}`,
    'ours and others in one text': `${ours} https://evil.test`,
    'ours and others with a comma': `${ours},https://evil.test`,
    'ours with a letter of another script': ours.replace(
      /[eoa]/,
      (letter) => ({ e: '\u0435', o: '\u043e' })[letter] ?? '\u0430',
    ),
    'a star': '*',
    '.*': '.*',
  }
  if (claim === 'iss') near['a list with ours'] = [ours]
  for (const [name, value] of Object.entries(near)) {
    if (value !== ours) yield [`${claim} is ${name}`, source, withClaims(forge, { [claim]: value })]
  }
}

function* identifierShapes(forge: Forge): Iterable<Shape> {
  const values = ['', '  ', 1, 0, null, true, [], ['root'], { $ne: null }, 'a\0b', 'a\r\nb', 'x'.repeat(2048)]
  for (const claim of ['sub', 'jti', 'client_id']) {
    for (const value of values) {
      const name = typeof value === 'string' && value.length > 99 ? '2048 characters' : JSON.stringify(value)
      yield [`${claim} is ${name}`, 'RFC 7519 §4.1.2', withClaims(forge, { [claim]: value })]
    }
  }
  yield ['sub is missing', 'RFC 9068 §2.2', withClaims(forge, { sub: undefined })]
  yield ['jti is missing', 'RFC 9068 §2.2', withClaims(forge, { jti: undefined })]
  yield ['scope is a list', 'RFC 8693 §4.2', withClaims(forge, { scope: ['admin'] })]
  yield ['bound to a key of the client (DPoP)', 'RFC 9449 §7.2', withClaims(forge, { cnf: { jkt: 'x'.repeat(43) } })]
  yield ['bound to a certificate', 'RFC 8705 §3', withClaims(forge, { cnf: { 'x5t#S256': 'x'.repeat(43) } })]
  yield ['token_use is refresh', 'RFC 8725 §3.12', withClaims(forge, { token_use: 'refresh' })]
  yield ['token_type is refresh', 'RFC 8725 §3.12', withClaims(forge, { token_type: 'refresh' })]
}

function* typeShapes(forge: Forge): Iterable<Shape> {
  const types = ['JWT', 'id+jwt', 'rt+jwt', 'logout+jwt', 'dpop+jwt', 'at+jwt; charset=utf-8', 'at', '', 'text/at+jwt']
  for (const typ of [...types, undefined, null, 1, ['at+jwt'], { typ: 'at+jwt' }]) {
    yield [`typ is ${JSON.stringify(typ) ?? 'missing'}`, 'RFC 9068 §4', withHeader(forge, { typ })]
  }
  const { typ, ...header } = forge.header
  yield ['typ is in the claims only', 'RFC 9068 §4', compact(header, { ...forge.claims, typ }, forge.sign)]
  const idToken = { nonce: 'n-0S6', client_id: undefined, scope: undefined, email: 'a@example.com' }
  yield [
    'an ID token',
    'RFC 8725 §3.11',
    compact({ ...header, typ: 'JWT' }, { ...forge.claims, ...idToken }, forge.sign),
  ]
}
