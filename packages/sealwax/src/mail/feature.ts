import type { Feature } from '../feature.ts'
import { mailApi } from './api.ts'
import { mailCommands } from './commands.ts'
import { mailErrors } from './errors.ts'
import { mailEvents } from './events.ts'
import { mailOptions } from './options.ts'
import { mailCounts, outbox } from './queries.ts'
import { purgeMailCounts, sendMails } from './sender.ts'
import { checkMailConfig } from './start.ts'
import { mails } from './test-mail.ts'

const SECOND = 1000
const HOUR = 3_600_000

/** Mails: an outbox in the store, and a sender in every server. */
export const mailFeature = {
  name: 'mail',
  options: mailOptions,
  errors: mailErrors,
  events: mailEvents,
  queries: { outbox, mailCounts },
  tables: { outbox: 'id', mail_counts: 'key' },
  jobs: [
    // Runs until the server closes.
    { name: 'send mails', period: SECOND, first: true, run: sendMails },
    { name: 'purge mail counts', period: HOUR, run: purgeMailCounts },
  ],
  mails,
  api: mailApi,
  commands: mailCommands,
  checkConfig: checkMailConfig,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './kinds.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
