import { hkdfSync } from 'node:crypto'
import { importKey, type SigningKey, sign } from '@sealwax/jwt'
import { EncryptJWT } from 'jose'
import './moving-server.ts'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'

/** Test values. */
export const oldAuthSecret = 'test-value-of-auth-secret-0123456789'
export const oldSigningSecret = 'test-value-of-the-signing-secret-0123456789'

const id = 'cm5x2k9d00000v8l4h1r7a3bq'
const name = '__Secure-authjs.session-token'
const key = hkdfSync('sha256', oldAuthSecret, name, `Auth.js Generated Encryption Key (${name})`, 64)

/** The cookie as Auth.js 5 makes it, in two parts as a long one. */
const jwe = await new EncryptJWT({ name: 'Ann Lee', email: 'ann@example.com', sub: id })
  .setProtectedHeader({ alg: 'dir', enc: 'A256CBC-HS512' })
  .setIssuedAt()
  .setExpirationTime('30d')
  .setJti('3ad3983d-f80e-4a4f-8f0d-bac62284b9ed')
  .encrypt(new Uint8Array(key))
const cookie = `theme=dark; ${name}.0=${jwe.slice(0, 300)}; ${name}.1=${jwe.slice(300)}`

const signingKey = importKey(Buffer.from(oldSigningSecret), { alg: 'HS256' }) as SigningKey
const token = sign({ sub: id }, signingKey, { issuer: null, audience: null, expiresIn: '30d', typ: 'JWT' })

export const request = new Request('https://app.example.com/orders', {
  headers: { Cookie: cookie, Authorization: `Bearer ${token}` },
})
