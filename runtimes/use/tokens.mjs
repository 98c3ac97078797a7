// Runs in every runtime: tokens of all algorithms, a guard with fetched keys, and proofs.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createGuard } from '@sealwax/guard'
import { createDpopVerifier } from '@sealwax/guard/dpop'
import { protect } from '@sealwax/guard/fetch'
import { watch } from '@sealwax/guard/watch'
import { createRemoteJWKSet, exportJwk, generateKey, importKey, sign, verify } from '@sealwax/jwt'

const POST_QUANTUM = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87']
const ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['HS256', 'HS384', 'HS512', ...POST_QUANTUM],
]
const issuer = 'https://auth.example.com'
const audience = 'api'
const rules = { issuer, audience, typ: 'at+jwt' }
const claims = { sub: 'user-123', client_id: 'app' }

const missing = []
for (const alg of ALGORITHMS) {
  const key = await generateKey(alg).catch((error) => {
    assert.ok(POST_QUANTUM.includes(alg), `${alg}: ${error.message}`)
    assert.match(error.message, /needs a runtime that has it/)
    missing.push(alg)
  })
  if (key === undefined) continue
  const again = importKey(exportJwk(key, { private: true }))
  const token = sign(claims, again, { ...rules, expiresIn: 60 })
  assert.equal(verify(token, key.publicKey ?? key, rules).payload.sub, 'user-123')
  const broken = `${token.slice(0, -12)}AAAAAAAAAAAA`
  assert.throws(() => verify(broken, key.publicKey ?? key, rules), { code: 'ERR_JWT_SIGNATURE' })
}
if (missing.length > 0) console.log(`    without ${missing.join(', ')}`)

const key = await generateKey('ES256')
const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ keys: [exportJwk(key.publicKey)] }))
})
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const { port } = server.address()
const keys = createRemoteJWKSet(`http://127.0.0.1:${port}/jwks`)
const dpop = createDpopVerifier({ baseUrl: 'https://api.example.com' })
const guard = createGuard({ issuer, audience, keys, dpop, revocation: null })
const handler = protect(guard, (_request, auth) => {
  const signal = watch(guard, auth)
  assert.equal(signal.aborted, false)
  return new Response(auth.subject)
})
const send = (headers) => handler(new Request('https://api.example.com/orders', { headers }))

const accepted = await send({ Authorization: `Bearer ${sign(claims, key, { ...rules, expiresIn: 5 })}` })
assert.deepEqual([accepted.status, await accepted.text()], [200, 'user-123'])
assert.equal((await send({})).status, 401)
const stranger = await generateKey('ES256')
assert.equal(
  (await send({ Authorization: `Bearer ${sign(claims, stranger, { ...rules, expiresIn: 60 })}` })).status,
  401,
)

const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
const { thumbprint } = await import('@sealwax/jwt')
const cnf = { jkt: thumbprint({ kty, crv, x, y }) }
const bound = sign({ ...claims, cnf }, key, { ...rules, expiresIn: 60, senderConstrained: 'ignore' })
const encode = (content) => Buffer.from(content).toString('base64url')
const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: { kty, crv, x, y } }
const ath = encode(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(bound)))
const target = { htm: 'GET', htu: 'https://api.example.com/orders' }
const proof = { ...target, jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000), ath }
const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(proof))}`
const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
const signature = await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(input))
const DPoP = `${input}.${encode(signature)}`
assert.equal((await send({ Authorization: `DPoP ${bound}`, DPoP })).status, 200)
assert.equal((await send({ Authorization: `DPoP ${bound}`, DPoP })).status, 401)
assert.equal((await send({ Authorization: `Bearer ${bound}` })).status, 401)

await guard.close()
keys.close()
server.close()
