import { siteOf } from '../core/audit-counts.ts'
import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof mailEvents> {}
}

export const mailEvents = defineEvents({
  'mail.failed': { countedBy: ({ data }) => `${data?.kind} ${data?.reason}` },
  'mail.limited': { countedBy: (event) => `${event.data?.kind} ${siteOf(event)}` },
})
