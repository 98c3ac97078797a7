import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import { createAuth } from 'sealwax'
import { protect } from 'sealwax/fastify'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

const port = Number(process.env.PORT ?? 3000)
const url = `http://127.0.0.1:${port}`

const auth = await createAuth({
  issuer: url,
  audience: url,
  secret: randomBytes(48).toString('base64'), // a demo: a real program has the same one at each start
  store: sqliteStore(':memory:'), // a demo: a real program has a file, or Postgres
})
const password = 'change-this-demo-password'
await auth.users.create({ id: 'user-123', email: 'alex@example.com', password })
await auth.users.create({ id: 'user-456', email: 'bob@example.com', password, roles: ['teacher'] })

const app = fastify()
const handler = toNodeHandler(auth)
// /login, /refresh, /logout …; other paths go on to the routes below
app.addHook('onRequest', (request, reply, done) => handler(request.raw, reply.raw, done))

app.get('/profile', { onRequest: protect(auth.guard) }, (request) => ({
  user_id: request.auth.subject,
  message: 'Protected profile',
}))
app.get('/reports', { onRequest: protect(auth.guard, { role: 'teacher' }) }, () => ({
  reports: ['January', 'February'],
}))

app.addHook('onClose', () => auth.close())
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    void app.close()
  })
}
await app.listen({ port, host: '127.0.0.1' })
console.log(`Fastify: ${url}`)
