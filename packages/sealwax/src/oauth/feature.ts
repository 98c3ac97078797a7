import type { Feature } from '../feature.ts'
import { clientsApi } from './api.ts'
import { adminClientRoutes } from './client-routes.ts'
import { clientCommands } from './commands.ts'
import { oauthErrors } from './errors.ts'
import { oauthEvents } from './events.ts'
import { introspectRoutes } from './introspect-routes.ts'
import { metadataRoutes } from './metadata-routes.ts'
import { clients } from './queries.ts'
import { revokeRoutes } from './revoke-routes.ts'
import { tokenRoutes } from './token-routes.ts'

/** API clients, and the endpoints of OAuth 2.0. */
export const oauthFeature = {
  name: 'oauth',
  errors: oauthErrors,
  events: oauthEvents,
  queries: { clients },
  tables: { clients: 'id', client_secrets: 'id' },
  routes: [tokenRoutes, revokeRoutes, introspectRoutes, adminClientRoutes, metadataRoutes],
  api: clientsApi,
  commands: clientCommands,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './tables.ts'
