// A JSON Web Token, created and verified with only node:crypto: RFC 7519 in the compact form of RFC
// 7515.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const key = randomBytes(32) // HS256 needs a key at least as long as its hash (RFC 7518 §3.2)
const now = () => Math.floor(Date.now() / 1000) // seconds, not milliseconds
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
const hmac = (text: string) => createHmac('sha256', key).update(text).digest()

function make(claims: object): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${hmac(signed).toString('base64url')}` // the signature covers both encoded parts
}

function check(token: string): { sub: string; exp: number } {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) throw new Error('not three parts')
  const given = Buffer.from(signature, 'base64url')
  const expected = hmac(`${header}.${payload}`)
  // Compares in constant time: a comparison that stops at the first difference reveals how many
  // bytes are right.
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Error('the signature does not match')
  // The algorithm in the header is only compared. If it were used, a token could choose how it is
  // verified ("alg": "none").
  if (decode(header).alg !== 'HS256') throw new Error('another algorithm')
  const claims = decode(payload) // only now: nothing before this line trusts the payload
  if (!(claims.exp > now())) throw new Error('expired')
  return claims
}

const verdict = (token: string) => {
  try {
    return `accepted, for ${check(token).sub}`
  } catch (error) {
    return `refused: ${(error as Error).message}`
  }
}

const token = make({ sub: 'user-123', iat: now(), exp: now() + 900 })
const [header = '', payload = '', signature = ''] = token.split('.')
const tampered = [header, encode({ ...decode(payload), sub: 'user-456' }), signature].join('.')

console.log(`header     ${header}\n           ${JSON.stringify(decode(header))}`)
console.log(`payload    ${payload}\n           ${JSON.stringify(decode(payload))}   <- encoded, not encrypted`)
console.log(
  `signature  ${signature}\n           ${hmac(`${header}.${payload}`).length} bytes: HMAC-SHA-256 of the two parts\n`,
)
console.log(`as made    ${verdict(token)}`)
console.log(`tampered   ${verdict(tampered)}`)
console.log(`expired    ${verdict(make({ sub: 'user-123', exp: now() }))}`)
console.log(`
Left out: issuer, audience and type; strict base64url and JSON; keys with which others can verify but not sign,
and their rotation; log-in and passwords; refreshing and revoking tokens. Sealwax does these: npm start`)
