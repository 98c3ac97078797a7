import type { Duration } from '@sealwax/jwt'
import { describeValue } from '@sealwax/jwt/internal'
import { duration, invalidOption, numberOrText, type OptionRules } from '../core/options.ts'
import { checkExchange, type Exchange, type ExchangeOptions } from './exchange-options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** How long a session lives without a refresh. Default 14 days. */
    readonly refreshIdle?: Duration
    /** How long a session lives at most, from log-in. Default 90 days. */
    readonly refreshAbsolute?: Duration
    /**
     * The grace window: how long after a rotation the previous refresh token is still accepted.
     * Default 30 seconds, at most 5 minutes.
     */
    readonly refreshGrace?: Duration
    /**
     * How long a client whose reply was lost may use its previous refresh token, if it has the same
     * user agent or device id. Default 24 hours, at most 30 days; 0 turns it off.
     */
    readonly refreshRecovery?: Duration
    /**
     * How many live sessions a user may have; one more log-in ends the least recently used session.
     * Default 100; `Infinity` for no limit.
     */
    readonly maxSessions?: number
    /**
     * Exchanges sessions of an older system for sessions of this server, until a date. Default:
     * none are exchanged.
     */
    readonly exchange?: ExchangeOptions | null
  }
  interface Config {
    readonly refreshIdle: number
    readonly refreshAbsolute: number
    readonly refreshGrace: number
    readonly refreshRecovery: number
    readonly maxSessions: number
    readonly exchange: Exchange | null
  }
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

export const sessionOptions: OptionRules = {
  refreshIdle: duration('refreshIdle', '14d', { least: 1000 }),
  refreshAbsolute: duration('refreshAbsolute', '90d', { least: 1000 }),
  refreshGrace: duration('refreshGrace', '30s', { least: 0, most: 5 * MINUTE }),
  refreshRecovery: duration('refreshRecovery', '24h', { least: 0, most: 30 * DAY }),
  maxSessions: {
    fallback: 100,
    parse: (value) => (value === 'Infinity' ? Infinity : numberOrText(value)),
    check(value) {
      if (value === Infinity || (Number.isInteger(value) && (value as number) >= 1)) return value
      throw invalidOption('maxSessions', 'be a whole number of at least 1, or Infinity', describeValue(value))
    },
  },
  exchange: { fallback: null, check: checkExchange },
}
