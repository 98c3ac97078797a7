import { createRoute, z } from '@hono/zod-openapi'
import { type AuditRecord, listAudit } from '../core/audit.ts'
import type { AuditEvent } from '../core/events.ts'
import type { Edge } from './edge.ts'
import { jsonReply, refusals, text, time } from './schemas.ts'

const client = {
  ip: text('The address of the client.', '203.0.113.7').optional(),
  user_agent: text('The user agent of the client.', 'Mozilla/5.0').optional(),
}
const counts = (description: string) => z.record(z.string(), z.number().int()).openapi({ description })

/** A row of the audit log as the API returns it. */
export const auditRow = z
  .object({
    id: z.number().int().openapi({ description: 'Rises with each row.', example: 4711 }),
    type: text('What happened.', 'user.login_failed'),
    time: time('When it happened; for a shared row, when the first event did.'),
    subject: text('The user or API client concerned.', 'user-123').optional(),
    session_id: text('The session concerned.', '4pXq7cT2mVb9Rk1LwZ8sDg').optional(),
    ...client,
    data: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'Details by type; `by` is the administrator who did it.', example: { by: 'user-1' } }),
    count: z.number().int().openapi({ description: 'How many events share the row.', example: 1 }),
    repeats: z
      .object({
        last: z
          .object({ time: time('When the last event happened.'), ...client })
          .openapi({ description: 'The last event.' }),
        subjects: counts('Events by subject, for the ten most frequent.'),
        ips: counts('Events by address, for the ten most frequent.'),
      })
      .optional()
      .openapi({ description: 'The later events of a shared row.' }),
  })
  .openapi('AuditRow')

const auditQuery = z.object({
  type: z.string().max(64).optional().openapi({ description: 'Only events of this type.', example: 'user.deleted' }),
  subject: z.string().max(256).optional().openapi({ description: 'Only events of this user or API client.' }),
  before: z.coerce
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .openapi({ description: '`next` of the previous page.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** The audit log, for administrators. */
export function auditRoutes({ app, context, administrators }: Edge): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/audit',
      operationId: 'listAuditEvents',
      security: administrators.security,
      middleware: administrators.only,
      summary: 'The audit log, newest first',
      request: { query: auditQuery },
      responses: {
        200: jsonReply(
          'Rows of the audit log',
          z.object({
            data: z.array(auditRow),
            next: z
              .number()
              .int()
              .optional()
              .openapi({ description: '`before` for the next page; absent on the last one.' }),
          }),
        ),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { type, subject, before, limit } = c.req.valid('query')
      const page = await listAudit(context, {
        limit,
        ...(type !== undefined && { type }),
        ...(subject !== undefined && { subject }),
        ...(before !== undefined && { before }),
      })
      return c.json({ data: page.data.map(auditBody), ...(page.next !== undefined && { next: page.next }) }, 200)
    },
  )
}

/** Returns a row of the audit log as the API returns it. */
export function auditBody({ id, type, time: at, data = {}, count, repeats, ...event }: AuditRecord) {
  return {
    ...{ id, type, time: new Date(at).toISOString() },
    ...eventBody(event),
    ...{ data: { ...data }, count },
    ...(repeats !== undefined && {
      repeats: {
        last: { time: new Date(repeats.last.time).toISOString(), ...clientBody(repeats.last) },
        subjects: { ...repeats.subjects },
        ips: { ...repeats.ips },
      },
    }),
  }
}

/** Returns what an event is about, as the API and the log of `serve` spell it. */
export function eventBody({ subject, sessionId, data, ...from }: Omit<AuditEvent, 'type' | 'time'>) {
  return {
    ...(subject !== undefined && { subject }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...clientBody(from),
    ...(data !== undefined && { data }),
  }
}

function clientBody({ ip, userAgent }: Pick<AuditRecord, 'ip' | 'userAgent'>) {
  return { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { user_agent: userAgent }) }
}
