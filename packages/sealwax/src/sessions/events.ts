import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof sessionEvents> {}
}

export const sessionEvents = defineEvents({
  'session.created': {},
  'session.exchanged': {},
  'session.exchange_refused': { countedBy: ({ sessionId }) => String(sessionId) },
  'session.replayed': { countedBy: ({ sessionId }) => String(sessionId) },
  'session.forked': { countedBy: ({ sessionId }) => String(sessionId) },
  'session.replay_detected': {},
  'session.fast_forwarded': {},
  'session.ended': {},
  'sessions.ended': {},
})
