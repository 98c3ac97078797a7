import type { Feature } from '../feature.ts'
import { adminUserRoutes } from './admin-user-routes.ts'
import { accountsApi } from './api.ts'
import { userCommands } from './commands.ts'
import { accountErrors } from './errors.ts'
import { accountEvents } from './events.ts'
import { meRoutes } from './me-routes.ts'
import { accountOptions } from './options.ts'
import { users } from './queries.ts'
import { loginRoutes } from './routes.ts'
import { userLists } from './user-list-queries.ts'

/** The built-in users, sign-up and log-in. */
export const accountsFeature = {
  name: 'accounts',
  options: accountOptions,
  errors: accountErrors,
  events: accountEvents,
  queries: { users, userLists },
  tables: { users: 'id' },
  routes: [loginRoutes, meRoutes, adminUserRoutes],
  api: accountsApi,
  commands: userCommands,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
