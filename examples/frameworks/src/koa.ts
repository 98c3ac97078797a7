import { randomBytes } from 'node:crypto'
import Koa from 'koa'
import { createAuth } from 'sealwax'
import { protect } from 'sealwax/koa'
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

const app = new Koa()
const handler = toNodeHandler(auth)
app.use((ctx, next) => {
  if (!auth.handles(ctx.path)) return next()
  ctx.respond = false // the handler writes the reply
  return handler(ctx.req, ctx.res)
})

// With @koa/router: router.get('/profile', protect(auth.guard), (ctx) => { ctx.body = … })
const forAll = protect(auth.guard)
const forTeachers = protect(auth.guard, { role: 'teacher' })
app.use((ctx, next) => {
  switch (`${ctx.method} ${ctx.path}`) {
    case 'GET /profile':
      return forAll(ctx, async () => {
        ctx.body = { user_id: ctx.state.auth.subject, message: 'Protected profile' }
      })
    case 'GET /reports':
      return forTeachers(ctx, async () => {
        ctx.body = { reports: ['January', 'February'] }
      })
    default:
      return next()
  }
})

const server = app.listen(port, '127.0.0.1', () => console.log(`Koa: ${url}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    server.close(() => void auth.close())
  })
}
