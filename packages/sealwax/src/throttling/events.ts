import { siteOf } from '../core/audit-counts.ts'
import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof throttlingEvents> {}
}

export const throttlingEvents = defineEvents({
  'throttle.refused': { countedBy: (event) => `${event.data?.counter} ${siteOf(event)}` },
  'throttle.cleared': {},
})
