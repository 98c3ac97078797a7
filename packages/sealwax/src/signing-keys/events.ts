import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof signingKeyEvents> {}
}

export const signingKeyEvents = defineEvents({
  'key.created': {},
  'key.scheduled': {},
  'key.activated': {},
  'key.retiring': {},
  'key.retired': {},
  'key.revoked': {},
})
