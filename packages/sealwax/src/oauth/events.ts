import { siteOf } from '../core/audit-counts.ts'
import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof oauthEvents> {}
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
