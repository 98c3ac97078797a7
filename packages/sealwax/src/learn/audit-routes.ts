import type { Hono } from 'hono'
import type { AuthServer } from '../auth-server.ts'
import { ADA, GRACE } from './demo.ts'

/** How many rows of each user are read; sessions of an earlier reader may be among them. */
const READ = 200
const SHOWN = 20

/**
 * Adds the server's side of the story: what the audit logs say about the sessions of the lesson's
 * users, newest first, of one session if the query names it. An audit log contains no secrets.
 */
export function auditRoutes(app: Hono, servers: readonly AuthServer[]): void {
  app.get('/learn/api/events', async (c) => {
    const session = c.req.query('session')
    const pages = await Promise.all(
      servers.flatMap(({ audit }) => [ADA, GRACE].map(({ id }) => audit.list({ subject: id, limit: READ }))),
    )
    const data = pages
      .flatMap((page) => page.data)
      .filter(({ sessionId }) => sessionId !== undefined && (session === undefined || sessionId === session))
      .sort((one, other) => other.time - one.time)
      .slice(0, SHOWN)
      .map(({ time, type, subject, sessionId, ip, userAgent, data: details }) => ({
        time: new Date(time).toISOString(),
        type,
        user: subject,
        session: sessionId,
        ip,
        user_agent: userAgent,
        data: details,
      }))
    return c.json({ data })
  })
}
