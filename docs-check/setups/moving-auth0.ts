import { auth0 } from '@sealwax/guard/issuers'
import { exportJwk, generateKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'
import { requestWith, serveAuth } from './moving-server.ts'

const domain = 'example.eu.auth0.com'
const issuer = `https://${domain}/`
const audience = 'https://api.example.com'
const key = await generateKey('RS256')

answerAt(`https://${domain}`, ({ url }) => {
  if (url.endsWith('/jwks.json')) return Response.json({ keys: [exportJwk(key)] })
  if (!url.endsWith('/.well-known/openid-configuration')) return new Response(null, { status: 404 })
  return Response.json({ issuer, jwks_uri: `${issuer}.well-known/jwks.json` })
})

/** An access token as Auth0 writes it. */
export const auth0Token = sign(
  {
    sub: 'auth0|68761a30c5d1f2a7b8e90111',
    azp: 'hCV8d2LqfVnkSb5QJcZ0yT3mXwR7aGpU',
    scope: 'openid profile',
    'https://example.com/roles': ['teacher'],
  },
  key,
  { issuer, audience, expiresIn: '24h', typ: 'JWT' },
)
export const request = requestWith(auth0Token)

const until = '2027-06-30'
const claims = { subject: ({ sub }: { sub?: string | undefined }) => sub?.replaceAll('|', ':') }
await serveAuth(
  { issuers: [{ ...auth0({ domain, audience }), claims, until }], exchange: { until } },
  { id: 'auth0:68761a30c5d1f2a7b8e90111', email: 'ann@example.com' },
)
