import type { Guard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/hono'
import { Hono } from 'hono'
import type { AuthServer } from '../auth-server.ts'
import { policyWithFrames, type WebFile, type WebFiles, webFileReply } from '../pages/files.ts'
import { auditRoutes } from './audit-routes.ts'
import { ADA, GRACE } from './demo.ts'
import { addSandbox } from './sandbox-routes.ts'
import type { SeenRequest } from './seen.ts'
import { storageRoutes } from './storage-routes.ts'

/** What the routes of the lesson use. */
interface Lesson {
  readonly origin: string
  /** Another origin of the same site. */
  readonly neighbour: string
  readonly seen: readonly SeenRequest[]
  readonly files: WebFiles
  readonly auth: AuthServer
  readonly brief: AuthServer
  readonly secondService: Guard
  readonly briefGuard: Guard
  readonly tolerantGuard: Guard
}

/** The pages of the lesson, and the API that its steps call. */
export function lessonApp({ origin, neighbour, seen, files, auth, brief, ...guards }: Lesson) {
  const app = new Hono()
  for (const [path, file] of files) {
    if (path.startsWith('assets/')) app.get(`/${path}`, (c) => webFileReply(file, c.req.raw.headers))
  }
  // The same computer by another name is another site: that of the foreign page. The lesson itself
  // is not there.
  const foreign = origin.replace('127.0.0.1', 'localhost')
  const page = (path: string, name: string, policy?: string) => {
    const file = files.get(name) as WebFile
    app.get(path, async (c) => {
      const isForeign = new URL(c.req.url).origin !== origin
      return isForeign ? c.redirect(origin + path) : webFileReply(file, c.req.raw.headers, policy)
    })
  }
  app.get('/', (c) => c.redirect('/learn'))
  page('/learn', 'learn.html', policyWithFrames(foreign, neighbour))
  page('/learn/text', 'learn/text.html')
  addSandbox(app)

  app.get('/learn/api/demo', (c) => {
    const shown = ({ email, password, roles }: typeof ADA) => ({ email, password, roles })
    return c.json({ origin, foreign, neighbour, users: { ada: shown(ADA), grace: shown(GRACE) } })
  })
  app.get('/learn/api/profile', protect(auth.guard), (c) => {
    const { subject, roles } = c.var.auth
    return c.json({ user: subject, roles, message: `Hello, ${subject}` })
  })
  app.get('/learn/api/grades', protect(auth.guard, { role: 'teacher' }), (c) =>
    c.json({ teacher: c.var.auth.subject, grades: { ada: 'A' } }),
  )
  app.get('/learn/api/second-service', protect(guards.secondService), (c) =>
    c.json({ service: 'second', user: c.var.auth.subject }),
  )
  app.get('/learn/api/brief', protect(guards.briefGuard), (c) => c.json({ user: c.var.auth.subject }))
  app.get('/learn/api/brief-tolerant', protect(guards.tolerantGuard), (c) => c.json({ user: c.var.auth.subject }))
  auditRoutes(app, [auth, brief])
  storageRoutes(app, origin, seen)
  return { fetch: async (request: Request) => app.fetch(request), handles: () => true }
}
