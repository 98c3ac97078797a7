// A JSON Web Token made and checked with node:crypto alone: RFC 7519 in the compact form of RFC 7515.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const key = randomBytes(32) // HS256 wants at least as many bytes as its hash has (RFC 7518 §3.2)
const now = () => Math.floor(Date.now() / 1000) // seconds, not milliseconds
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
const hmac = (text: string) => createHmac('sha256', key).update(text).digest()

function make(claims: object): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${hmac(signed).toString('base64url')}` // the seal covers the letters of both other parts
}

function check(token: string): { sub: string; exp: number } {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) throw new Error('not three parts')
  const given = Buffer.from(signature, 'base64url')
  const expected = hmac(`${header}.${payload}`)
  // Comparing in constant time: a comparison that stops at the first difference tells a forger how far he got.
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Error('the signature does not match')
  // The header is compared, never obeyed: else a token could choose how it is checked ("alg": "none").
  if (decode(header).alg !== 'HS256') throw new Error('another algorithm')
  const claims = decode(payload) // only now: nothing before this line has believed the payload
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
Left out: issuer, audience and type; strict base64url and JSON; keys that others can verify with but not sign with,
and their rotation; log-in and passwords; renewing a token; taking one back. Sealwax does these: npm start`)
