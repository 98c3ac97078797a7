import type { Guard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/hono'
import { Hono } from 'hono'
import type { AuthServer } from '../auth-server.ts'
import { policyWithFrames, type WebFiles, webFileReply } from '../pages/files.ts'
import { ADA, GRACE } from './demo.ts'
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
  readonly secondService: Guard
  readonly briefGuard: Guard
}

/** The pages of the lesson, and the API that its steps call. */
export function lessonApp({ origin, neighbour, seen, files, auth, secondService, briefGuard }: Lesson) {
  const app = new Hono()
  // The same computer by another name is another site: that of the foreign page.
  const foreign = origin.replace('127.0.0.1', 'localhost')
  const page = (path: string, name: string, policy?: string) => {
    const file = files.get(name)
    if (file !== undefined) app.get(path, (c) => webFileReply(file, c.req.raw.headers, policy))
  }
  app.get('/', (c) => c.redirect('/learn'))
  // The lesson itself must not be at that origin.
  app.use('/learn', (c, next) =>
    c.req.url.startsWith(`${foreign}/`) ? Promise.resolve(c.redirect(`${origin}/learn`)) : next(),
  )
  page('/learn', 'learn.html', policyWithFrames(foreign, neighbour))
  page('/learn/text', 'learn/text.html')
  for (const path of files.keys()) if (path.startsWith('assets/')) page(`/${path}`, path)

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
  app.get('/learn/api/second-service', protect(secondService), (c) =>
    c.json({ service: 'second', user: c.var.auth.subject }),
  )
  app.get('/learn/api/brief', protect(briefGuard), (c) => c.json({ user: c.var.auth.subject }))
  // Both sides of the story: what the audit log of this server says about a user of the lesson.
  app.get('/learn/api/events', async (c) => {
    const { data } = await auth.audit.list({ limit: 20 })
    return c.json({ data })
  })
  storageRoutes(app, origin, seen)
  return { fetch: async (request: Request) => app.fetch(request), handles: () => true }
}
