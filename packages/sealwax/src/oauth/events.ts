import { siteOf } from '../core/audit-counts.ts'
import { defineEvents, type EventRule } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes {
    'client.created': EventRule
    'client.updated': EventRule
    'client.secret_rotated': EventRule
    'client.disabled': EventRule
    'client.enabled': EventRule
    'client.deleted': EventRule
    'client.token_revoked': EventRule
    'client.authentication_failed': EventRule
  }
}

export const oauthEvents = defineEvents({
  'client.created': {},
  'client.updated': {},
  'client.secret_rotated': {},
  'client.disabled': {},
  'client.enabled': {},
  'client.deleted': {},
  'client.token_revoked': { countedBy: ({ subject }) => String(subject) },
  // Each reason has its own rows, so that invented ids do not hide a wrong secret.
  'client.authentication_failed': { countedBy: (event) => `${event.data?.reason} ${siteOf(event)}` },
})
