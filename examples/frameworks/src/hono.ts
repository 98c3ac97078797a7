import { randomBytes } from 'node:crypto'
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { createAuth } from 'sealwax'
import { protect } from 'sealwax/hono'
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

const app = new Hono()
// /login, /refresh, /logout …; other paths go on to the routes below
app.use(async (c, next) => {
  if (!auth.handles(c.req.path)) return next()
  return auth.fetch(c.req.raw, { address: getConnInfo(c).remote.address })
})

app.get('/profile', protect(auth.guard), (c) => c.json({ user_id: c.var.auth.subject, message: 'Protected profile' }))
app.get('/reports', protect(auth.guard, { role: 'teacher' }), (c) => c.json({ reports: ['January', 'February'] }))

const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => console.log(`Hono: ${url}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    server.close(() => void auth.close())
  })
}
