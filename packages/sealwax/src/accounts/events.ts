import { siteOf } from '../core/audit-counts.ts'
import { defineEvents, type EventRule } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes {
    'user.registered': EventRule
    'user.created': EventRule
    'user.updated': EventRule
    'user.deleted': EventRule
    'user.disabled': EventRule
    'user.enabled': EventRule
    'user.roles_changed': EventRule
    'user.password_changed': EventRule
    'user.login_failed': EventRule
  }
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
  'user.login_failed': { countedBy: siteOf },
})
