import type { Guard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/hono'
import { Hono } from 'hono'
import type { AuthServer } from '../auth-server.ts'
import { type WebFiles, webFileReply } from '../pages/files.ts'
import { auditRoutes } from './audit-routes.ts'
import { ADA, GRACE } from './demo.ts'

/** What the routes of the lesson use. */
interface Lesson {
  readonly origin: string
  readonly files: WebFiles
  readonly auth: AuthServer
  readonly brief: AuthServer
  readonly secondService: Guard
  readonly briefGuard: Guard
  readonly tolerantGuard: Guard
}

/** The pages of the lesson, and the API that its steps call. */
export function lessonApp({ origin, files, auth, brief, ...guards }: Lesson) {
  const { secondService, briefGuard, tolerantGuard } = guards
  const app = new Hono()
  const page = (path: string, name: string) => {
    const file = files.get(name)
    if (file !== undefined) app.get(path, (c) => webFileReply(file, c.req.raw.headers))
  }
  app.get('/', (c) => c.redirect('/learn'))
  page('/learn', 'learn.html')
  page('/learn/text', 'learn/text.html')
  for (const path of files.keys()) if (path.startsWith('assets/')) page(`/${path}`, path)

  app.get('/learn/api/demo', (c) => {
    // Another origin on the same computer: the page of a stranger.
    const foreign = origin.replace('127.0.0.1', 'localhost')
    const shown = ({ email, password, roles }: typeof ADA) => ({ email, password, roles })
    return c.json({ origin, foreign, users: { ada: shown(ADA), grace: shown(GRACE) } })
  })
  app.get('/learn/api/profile', protect(auth.guard), (c) => {
    const { subject, roles } = c.var.auth
    return c.json({ user: subject, roles, message: `Hello, ${subject}` })
  })
  app.get('/learn/api/grades', protect(auth.guard, { role: 'teacher' }), (c) =>
    c.json({ teacher: c.var.auth.subject, grades: { ada: 'A' } }),
  )
  app.get('/learn/api/second-service', protect(secondService), (c) =>
    c.json({ service: 'second', user: c.var.auth.subject }),
  )
  app.get('/learn/api/brief', protect(briefGuard), (c) => c.json({ user: c.var.auth.subject }))
  app.get('/learn/api/brief-tolerant', protect(tolerantGuard), (c) => c.json({ user: c.var.auth.subject }))
  auditRoutes(app, [auth, brief])
  return { fetch: async (request: Request) => app.fetch(request), handles: () => true }
}
