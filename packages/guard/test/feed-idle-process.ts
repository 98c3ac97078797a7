import { createGuard } from '@sealwax/guard'
import { generateKey, sign } from '@sealwax/jwt'

// Authenticates once with a guard that follows a feed, waits until the next request is running, and
// has nothing left to do.
const key = await generateKey('ES256')
const issuer = 'https://auth.example.com'
const guard = createGuard({ issuer, audience: 'api', keys: key, revocation: { url: process.argv[2] as string } })
const token = sign({ sub: 'u', sid: 's' }, key, { issuer, audience: 'api', expiresIn: '15m', typ: 'at+jwt' })
await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
setTimeout(() => console.log('accepted'), 200)
