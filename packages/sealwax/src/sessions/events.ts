import { defineEvents, type EventRule } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes {
    'session.created': EventRule
    'session.replayed': EventRule
    'session.forked': EventRule
    'session.replay_detected': EventRule
    'session.fast_forwarded': EventRule
    'session.ended': EventRule
    'sessions.ended': EventRule
  }
}

export const sessionEvents = defineEvents({
  'session.created': {},
  'session.replayed': { countedBy: ({ sessionId }) => String(sessionId) },
  'session.forked': { countedBy: ({ sessionId }) => String(sessionId) },
  'session.replay_detected': {},
  'session.fast_forwarded': {},
  'session.ended': {},
  'sessions.ended': {},
})
