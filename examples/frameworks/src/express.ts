import { randomBytes } from 'node:crypto'
import express from 'express'
import { createAuth } from 'sealwax'
import { protect } from 'sealwax/express'
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

const app = express().disable('x-powered-by')
app.use(toNodeHandler(auth)) // /login, /refresh, /logout …; other paths go on to the routes below

app.get('/profile', protect(auth.guard), (_req, res) => {
  res.json({ user_id: res.locals.auth.subject, message: 'Protected profile' })
})
app.get('/reports', protect(auth.guard, { role: 'teacher' }), (_req, res) => {
  res.json({ reports: ['January', 'February'] })
})

const server = app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Express: ${url}`)
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    server.close(() => void auth.close())
  })
}
