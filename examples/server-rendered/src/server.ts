import { randomBytes } from 'node:crypto'
import express, { type RequestHandler } from 'express'
import { AuthError, createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { clientOf, cookieSession } from './cookie-session.ts'
import { ownPagesOnly } from './own-pages-only.ts'
import { html, logInForm, notesPage, page } from './pages.ts'

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

const notesOf = new Map<string, string[]>() // a demo: a real program has a table
const session = cookieSession(auth, url)

const app = express().disable('x-powered-by')
app.use((_req, res, next) => {
  res.set('Cache-Control', 'no-store') // every page depends on the user
  res.set('Content-Security-Policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
  next()
})
app.use(ownPagesOnly(url), express.urlencoded({ limit: '16kb' }), session.load)

/** From here on, the pages know only `res.locals.user`. */
const loggedIn: RequestHandler = (_req, res, next) => {
  if (res.locals.user === undefined) res.redirect(303, '/log-in')
  else next()
}

app.get('/', (_req, res) => res.redirect(303, '/notes'))

app.get('/log-in', (_req, res) => {
  res.send(logInForm())
})
app.post('/log-in', async (req, res) => {
  const email = String(req.body?.email ?? '')
  try {
    const credentials = { email, password: String(req.body?.password ?? ''), deviceToken: session.deviceToken(req) }
    await session.begin(res, await auth.login(credentials, clientOf(auth, req)))
    res.redirect(303, '/notes')
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    if (error.retryAfter !== undefined) res.set('Retry-After', String(error.retryAfter))
    res.status(error.status).send(logInForm(email, error.detail))
  }
})
app.post('/log-out', async (_req, res) => {
  await session.end(res)
  res.redirect(303, '/log-in')
})

app.get('/notes', loggedIn, (_req, res) => {
  const { subject } = res.locals.user
  res.send(notesPage(subject, notesOf.get(subject) ?? []))
})
app.post('/notes', loggedIn, (req, res) => {
  const { subject } = res.locals.user
  const note = String(req.body?.note ?? '').slice(0, 200)
  notesOf.set(subject, [...(notesOf.get(subject) ?? []), note])
  res.redirect(303, '/notes')
})
app.get('/reports', loggedIn, (_req, res) => {
  if (res.locals.user.roles.includes('teacher')) res.send(page('Reports', html`<p>January, February</p>`))
  else res.status(403).send(page('Not for you', html`<p>Only teachers can read the reports.</p>`))
})

const server = app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Open ${url} and log in as alex@example.com or bob@example.com, password ${password}`)
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => void auth.close()))
}
