import { siteOf } from '../core/audit-counts.ts'
import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof accountEvents> {}
}

export const accountEvents = defineEvents({
  'user.registered': {},
  'user.created': {},
  'user.updated': {},
  'user.deleted': {},
  'user.disabled': {},
  'user.enabled': {},
  'user.roles_changed': {},
  'user.password_changed': {},
  'user.password_rejected': { countedBy: siteOf },
  'user.login_failed': { countedBy: siteOf },
})
