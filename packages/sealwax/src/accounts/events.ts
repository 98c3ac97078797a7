import { siteOf } from '../core/audit-counts.ts'
import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof accountEvents> {}
}

export const accountEvents = defineEvents({
  'user.registered': {},
  'user.created': {},
  'users.imported': {},
  'user.updated': {},
  'user.deleted': {},
  'user.disabled': {},
  'user.enabled': {},
  'user.roles_changed': {},
  'user.password_changed': {},
  'user.registration_requested': { countedBy: siteOf },
  'user.reset_requested': { countedBy: siteOf },
  'user.password_reset': {},
  'user.email_verified': {},
  'user.email_change_requested': {},
  'user.email_changed': {},
  'user.email_change_undone': {},
  'user.reported_not_me': {},
  'user.invited': {},
  'user.invitation_withdrawn': {},
  'user.code_failed': { countedBy: siteOf },
  'user.password_rejected': { countedBy: siteOf },
  'user.login_failed': { countedBy: siteOf },
})
