import { exportJwk, generateKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'

export const issuer = 'https://auth.example.com'
export const audience = 'https://api.example.com'

const key = await generateKey('ES256')
/** A token of that issuer, as a request brings it. */
export const token = sign({ sub: 'user-123' }, key, { issuer, audience, expiresIn: '15m', typ: 'at+jwt' })

answerAt(issuer, () => Response.json({ keys: [exportJwk(key)] }))
