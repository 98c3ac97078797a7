import { defineEvents, type EventRule } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes {
    'key.created': EventRule
    'key.scheduled': EventRule
    'key.activated': EventRule
    'key.retiring': EventRule
    'key.retired': EventRule
    'key.revoked': EventRule
  }
}

export const signingKeyEvents = defineEvents({
  'key.created': {},
  'key.scheduled': {},
  'key.activated': {},
  'key.retiring': {},
  'key.retired': {},
  'key.revoked': {},
})
