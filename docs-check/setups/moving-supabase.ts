import { supabase } from '@sealwax/guard/issuers'
import { exportJwk, generateKey, importKey, type SigningKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'
import { requestWith, serveAuth } from './moving-server.ts'

const url = 'https://abcdefghijklm.supabase.co'
const issuer = `${url}/auth/v1`
const id = '2c1d8f60-7a0e-4d0b-9a55-0f6c1f4b8e01'
const key = await generateKey('ES256')

answerAt(url, (request) => {
  if (request.url.endsWith('/jwks.json')) return Response.json({ keys: [exportJwk(key)] })
  if (!request.url.endsWith('/.well-known/openid-configuration')) return new Response(null, { status: 404 })
  return Response.json({ issuer, jwks_uri: `${issuer}/.well-known/jwks.json` })
})

const claims = {
  sub: id,
  role: 'authenticated',
  session_id: '5f2d3f6e-4c43-4f0b-a1b7-8e3d1f0c9a77',
  is_anonymous: false,
  app_metadata: { provider: 'email', roles: ['teacher'] },
}
const tokenOf = (signingKey: SigningKey) =>
  sign(claims, signingKey, { issuer, audience: 'authenticated', expiresIn: '1h', typ: 'JWT' })

/** An access token as Supabase writes it. */
export const supabaseToken = tokenOf(key)
export const request = requestWith(supabaseToken)

/** Test value. */
export const supabaseJwtSecret = 'test-value-of-the-jwt-secret-with-40-octets'
export const requestOfOldProject = requestWith(
  tokenOf(importKey(Buffer.from(supabaseJwtSecret), { alg: 'HS256' }) as SigningKey),
)

const until = '2027-06-30'
await serveAuth({ issuers: [{ ...supabase({ url }), until }], exchange: { until } }, { id, email: 'ann@example.com' })
