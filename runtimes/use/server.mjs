// Runs in the runtimes that have node:sqlite: an auth server and its client.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createClient } from '@sealwax/client'
import { createDpopFetch } from '@sealwax/client/dpop'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

let handler
const server = createServer((request, response) => handler(request, response))
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const baseUrl = `http://127.0.0.1:${server.address().port}`
const secret = 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3'
const auth = await createAuth({ issuer: baseUrl, audience: 'api', secret, store: sqliteStore(':memory:') })
handler = toNodeHandler(auth)
const user = { email: 'ann@example.com', password: 'correct horse battery staple' }
await auth.users.create({ ...user, roles: ['teacher'] })

for (const options of [{}, { fetch: createDpopFetch() }]) {
  const client = createClient({ baseUrl, ...options })
  assert.equal((await client.login(user)).user.email, user.email)
  assert.deepEqual((await client.me()).roles, ['teacher'])
  assert.equal((await client.sessions()).length, 1)
  await client.logout()
  assert.equal(await client.session(), undefined)
  client.close()
}

await auth.close()
server.closeAllConnections()
server.close()
