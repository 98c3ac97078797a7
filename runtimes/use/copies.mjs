// Two copies of the packages in one process, as npm installs them when versions differ.
import assert from 'node:assert/strict'
import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/fetch'
import { createRemoteJWKSet, exportJwk, generateKey, sign, verify } from '@sealwax/jwt'
import { protect as otherProtect } from './copy/node_modules/@sealwax/guard/dist/adapters/fetch.js'
import * as other from './copy/node_modules/@sealwax/guard/dist/index.js'
import * as otherJwt from './copy/node_modules/@sealwax/jwt/dist/index.js'

assert.notEqual(createGuard, other.createGuard)
const rules = { issuer: 'https://auth.example.com', audience: 'api', typ: 'at+jwt' }
const key = await generateKey('ES256')
const token = otherJwt.sign({ sub: 'user-123', client_id: 'app' }, key, { ...rules, expiresIn: 60 })
assert.equal(otherJwt.verify(token, key.publicKey, rules).payload.sub, 'user-123')
assert.equal(verify(token, otherJwt.importKey(exportJwk(key.publicKey)), rules).payload.sub, 'user-123')

const { issuer, audience } = rules
const answer = (_request, auth) => new Response(auth.subject)
const fetchKeys = async () => Response.json({ keys: [exportJwk(key.publicKey)] })
for (const [create, jwks, guarded] of [
  [createGuard, otherJwt.createRemoteJWKSet, otherProtect],
  [other.createGuard, createRemoteJWKSet, protect],
]) {
  const keys = jwks('https://auth.example.com/jwks', { fetch: fetchKeys })
  const handler = guarded(create({ issuer, audience, keys, revocation: null }), answer)
  const send = (sent) =>
    handler(new Request('https://api.example.com/', { headers: { Authorization: `Bearer ${sent}` } }))
  assert.equal((await send(token)).status, 200)
  for (const bad of [
    'x',
    `${token.slice(0, -12)}AAAAAAAAAAAA`,
    sign({ sub: 'u' }, await generateKey('ES256'), { ...rules, expiresIn: 60 }),
  ]) {
    assert.equal((await send(bad)).status, 401)
  }
  keys.close()
}
