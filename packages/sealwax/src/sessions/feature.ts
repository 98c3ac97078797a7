import type { Feature } from '../feature.ts'
import { sessionsApi } from './api.ts'
import { endIssuedSessions, purgeSessions } from './end.ts'
import { sessionErrors } from './errors.ts'
import { sessionEvents } from './events.ts'
import { purgeExchanged } from './exchange.ts'
import { exchangedSessions } from './exchange-queries.ts'
import { exchangeRoutes } from './exchange-routes.ts'
import { logoutRoutes } from './logout-routes.ts'
import { sessionOptions } from './options.ts'
import { sessions } from './queries.ts'
import { refreshRoutes } from './refresh-routes.ts'
import { sessionRoutes } from './routes.ts'
import { subjects } from './subject-queries.ts'
import { purgeSubjectVersions } from './subject-versions.ts'
import { subjectVersions } from './subject-versions-queries.ts'
import { wrappedSessionKeys } from './wrapped.ts'

const HOUR = 3_600_000

/** Sessions, their refresh tokens and their access tokens. */
export const sessionsFeature = {
  name: 'sessions',
  options: sessionOptions,
  errors: sessionErrors,
  events: sessionEvents,
  queries: { sessions, subjects, subjectVersions, exchangedSessions },
  tables: { sessions: 'id', subject_versions: 'subject', exchanged_sessions: 'hash' },
  jobs: [
    { name: 'purge sessions', period: HOUR, run: purgeSessions },
    { name: 'purge subject versions', period: HOUR, run: purgeSubjectVersions },
    { name: 'purge exchanged sessions', period: HOUR, first: true, run: purgeExchanged },
  ],
  wrapped: wrappedSessionKeys,
  keyHolders: {
    count: ({ store, now }, issued) => store.committed.sessions.countIssued({ ...issued, now: now() }),
    end: (context, issued) => endIssuedSessions(context, issued, 'key_revoked'),
  },
  routes: [exchangeRoutes, refreshRoutes, logoutRoutes, sessionRoutes],
  api: sessionsApi,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './exchange-contract.ts'
export type {} from './options.ts'
export type {} from './subject-versions-contract.ts'
export type {} from './tables.ts'
