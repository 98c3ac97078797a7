import { keycloak } from '@sealwax/guard/issuers'
import { exportJwk, generateKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'
import { requestWith, serveAuth } from './moving-server.ts'

const issuer = 'https://id.example.com/realms/shop'
const key = await generateKey('RS256')

answerAt('https://id.example.com', ({ url }) => {
  if (url.endsWith('/certs')) return Response.json({ keys: [exportJwk(key)] })
  if (!url.endsWith('/.well-known/openid-configuration')) return new Response(null, { status: 404 })
  return Response.json({ issuer, jwks_uri: `${issuer}/protocol/openid-connect/certs` })
})

const id = '6f1c2b1e-3a53-4f0e-9d0c-1f3b7a5f0c11'
/** An access token as Keycloak writes it. */
export const keycloakToken = sign(
  { sub: id, typ: 'Bearer', azp: 'web', sid: 'a5ca1d1f', jti: 'onrtac:3f', realm_access: { roles: ['teacher'] } },
  key,
  { issuer, audience: 'orders-api', expiresIn: '5m', typ: 'JWT' },
)
export const request = requestWith(keycloakToken)

const until = '2027-06-30'
await serveAuth(
  {
    issuers: [{ ...keycloak({ url: 'https://id.example.com', realm: 'shop', audience: 'orders-api' }), until }],
    exchange: { until },
  },
  { id, email: 'ann@example.com' },
)
