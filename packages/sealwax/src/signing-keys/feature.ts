import type { Feature } from '../feature.ts'
import { keysApi } from './api.ts'
import { keyCommands } from './commands.ts'
import { signingKeyEvents } from './events.ts'
import { jwksRoutes } from './jwks-routes.ts'
import { signingKeyOptions } from './options.ts'
import { signingKeys } from './queries.ts'
import { signingKey, tendKeys } from './ring.ts'
import { adminKeyRoutes } from './routes.ts'
import { wrappedSigningKeys } from './wrapped.ts'

const MINUTE = 60_000

/** The keys that sign access tokens: their schedule, rotation and revocation. */
export const signingKeysFeature = {
  name: 'signing-keys',
  options: signingKeyOptions,
  events: signingKeyEvents,
  queries: { signingKeys },
  tables: { signing_keys: 'sequence' },
  jobs: [{ name: 'tend signing keys', period: MINUTE, run: tendKeys }],
  wrapped: wrappedSigningKeys,
  requireReady: signingKey,
  routes: [adminKeyRoutes, jwksRoutes],
  api: keysApi,
  commands: keyCommands,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './events.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
