import { firebase } from '@sealwax/guard/issuers'
import { exportJwk, generateKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'
import { requestWith, serveAuth } from './moving-server.ts'

const issuer = 'https://securetoken.google.com/my-project'
const jwks = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com'
const id = 'Jq4u0Zb7XnTq3c9aVx1sKpYwE2h1'
const key = await generateKey('RS256')

answerAt('https://securetoken.google.com', ({ url }) =>
  url.endsWith('/.well-known/openid-configuration')
    ? Response.json({ issuer, jwks_uri: jwks })
    : new Response(null, { status: 404 }),
)
answerAt('https://www.googleapis.com', () => Response.json({ keys: [exportJwk(key)] }))

/** An ID token as Firebase writes it. */
export const idToken = sign(
  {
    sub: id,
    user_id: id,
    auth_time: Math.floor(Date.now() / 1000),
    roles: ['teacher'],
    firebase: { identities: { email: ['ann@example.com'] }, sign_in_provider: 'password' },
  },
  key,
  { issuer, audience: 'my-project', expiresIn: '1h', typ: 'JWT' },
)
export const request = requestWith(idToken)

const until = '2027-06-30'
await serveAuth(
  { issuers: [{ ...firebase({ project: 'my-project' }), until }], exchange: { until } },
  { id, email: 'ann@example.com' },
)
