import type { Feature } from '../feature.ts'
import { throttleCommands } from './commands.ts'
import { throttlingErrors } from './errors.ts'
import { throttlingEvents } from './events.ts'
import { throttle } from './queries.ts'
import { purgeCounters } from './throttle.ts'

const HOUR = 3_600_000

/** Limits for guesses and for requests that send mail. */
export const throttlingFeature = {
  name: 'throttling',
  errors: throttlingErrors,
  events: throttlingEvents,
  queries: { throttle },
  tables: { throttle_counters: 'key' },
  jobs: [{ name: 'purge throttle counters', period: HOUR, run: purgeCounters }],
  commands: throttleCommands,
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './events.ts'
export type {} from './tables.ts'
