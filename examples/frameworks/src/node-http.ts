import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { protect } from '@sealwax/guard/node'
import { createAuth } from 'sealwax'
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

const sendJson = (res: ServerResponse, body: unknown) => {
  res.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
}
const profile = protect(auth.guard, (_req, res, { subject }) => {
  sendJson(res, { user_id: subject, message: 'Protected profile' })
})
const reports = protect(auth.guard, { role: 'teacher' }, (_req, res) => {
  sendJson(res, { reports: ['January', 'February'] })
})

const handler = toNodeHandler(auth) // /login, /refresh, /logout …; other paths go on to the routes below
const server = createServer((req, res) => {
  handler(req, res, () => {
    const [path] = (req.url ?? '/').split('?')
    if (req.method === 'GET' && path === '/profile') profile(req, res)
    else if (req.method === 'GET' && path === '/reports') reports(req, res)
    else res.writeHead(404).end()
  })
})
server.listen(port, '127.0.0.1', () => console.log(`node:http: ${url}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    server.close(() => void auth.close())
  })
}
