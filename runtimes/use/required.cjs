// What a CommonJS program does: require, without await at its top.
const assert = require('node:assert/strict')
const { createGuard } = require('@sealwax/guard')
const { generateKey, sign, verify } = require('@sealwax/jwt')
const { createClient } = require('@sealwax/client')
const { createAuth } = require('sealwax')
const { sqliteStore } = require('sealwax/sqlite')

async function main() {
  const options = { issuer: 'https://auth.example.com', audience: 'api' }
  const key = await generateKey('ES256')
  const token = sign({ sub: 'ann' }, key, { ...options, typ: 'at+jwt', expiresIn: '15m' })
  assert.equal(verify(token, key, { ...options, typ: 'at+jwt' }).payload.sub, 'ann')
  createGuard({ ...options, keys: key, revocation: null }).close()
  const secret = 'Zq8v-test-only-4Rk1Xw7Lm2Pt9Vb6Nc3d'
  const auth = await createAuth({ ...options, secret, store: sqliteStore(':memory:') })
  const { access_token } = await auth.sessions.create({ subject: 'ann' })
  const request = new Request('https://api.example.com/', { headers: { Authorization: `Bearer ${access_token}` } })
  assert.equal((await auth.guard.authenticate(request)).subject, 'ann')
  assert.equal(typeof createClient, 'function')
  await auth.close()
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
