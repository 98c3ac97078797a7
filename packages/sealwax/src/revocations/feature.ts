import type { Feature } from '../feature.ts'
import { tokensApi } from './api.ts'
import { revocationEvents } from './events.ts'
import { revocationOptions } from './options.ts'
import { revocations } from './queries.ts'
import { revocationRoutes } from './routes.ts'
import { purgeRevocations } from './rules.ts'

const HOUR = 3_600_000

/** Revocations, and the feed from which remote guards read them. */
export const revocationsFeature = {
  name: 'revocations',
  options: revocationOptions,
  events: revocationEvents,
  api: tokensApi,
  queries: { revocations },
  tables: { revocations: 'position' },
  jobs: [{ name: 'purge revocations', period: HOUR, run: purgeRevocations }],
  routes: [revocationRoutes],
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './events.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
