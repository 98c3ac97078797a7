import type { Feature } from '../feature.ts'
import { adminUserRoutes } from './admin-user-routes.ts'
import { accountsApi } from './api.ts'
import { userCommands } from './commands.ts'
import { emailRoutes } from './email-routes.ts'
import { accountErrors } from './errors.ts'
import { accountEvents } from './events.ts'
import { userImports } from './import-queries.ts'
import { invitationRoutes } from './invitation-routes.ts'
import { accountMails } from './mails.ts'
import { meRoutes } from './me-routes.ts'
import { notifyOfFork } from './notify.ts'
import { purgeTokens, wrappedCodes } from './one-time-tokens.ts'
import { oneTimeTokens } from './one-time-tokens-queries.ts'
import { accountOptions } from './options.ts'
import { pageRoutes } from './page-routes.ts'
import { users } from './queries.ts'
import { resetRoutes } from './reset-routes.ts'
import { loginRoutes } from './routes.ts'
import { checkAccountConfig } from './start.ts'
import { userLists } from './user-list-queries.ts'

/** The built-in users, sign-up and log-in. */
export const accountsFeature = {
  name: 'accounts',
  options: accountOptions,
  errors: accountErrors,
  events: accountEvents,
  queries: { users, userLists, userImports, oneTimeTokens },
  tables: { users: 'id', one_time_tokens: 'hash' },
  jobs: [{ name: 'purge one-time tokens', period: 3_600_000, run: purgeTokens }],
  wrapped: wrappedCodes,
  observes: { 'session.forked': notifyOfFork },
  mails: accountMails,
  checkConfig: checkAccountConfig,
  routes: [loginRoutes, meRoutes, adminUserRoutes, emailRoutes, resetRoutes, invitationRoutes, pageRoutes],
  api: accountsApi,
  commands: userCommands,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './one-time-tokens-contract.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
