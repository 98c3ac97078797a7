import { describeValue } from '@sealwax/jwt/internal'
import { type AuthOptions, invalidOption } from '../core/options.ts'
import { checkMembers } from '../core/strict-options.ts'

/** A session of an older system, as `exchange.read` returns it. */
export interface OldSession {
  /** What identifies the session there, such as the id in the cookie. Only its hash is stored. */
  readonly id: string
  /** The id of the user: the `sub` of our tokens, 1 to 256 characters. */
  readonly subject: string
  /**
   * When the user logged in there: a Date, or seconds since 1970. The session is refused if all
   * sessions of the user have ended here since.
   */
  readonly issuedAt: Date | number
  /** See `CreateSession.roles`. */
  readonly roles?: readonly string[]
  /** See `CreateSession.scope`. */
  readonly scope?: string
  /** See `CreateSession.claims`. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** See `CreateSession.amr`. */
  readonly amr?: readonly string[]
  /** See `CreateSession.remember`. */
  readonly remember?: boolean
}

/** The option `exchange`. */
export interface ExchangeOptions {
  /**
   * When sessions are no longer exchanged: a Date, or a string such as `'2027-03-31'` (00:00 UTC).
   */
  readonly until: Date | string
  /**
   * Reads and checks the session of the older system that a request belongs to; undefined if there
   * is none. It must use only the header fields and the URL of the request. Without it, and when it
   * returns undefined, access tokens of the `issuers` are exchanged.
   */
  readonly read?: (request: Request) => Promise<OldSession | undefined> | OldSession | undefined
}

/** The checked option. */
export interface Exchange {
  /** Milliseconds since 1970. */
  readonly until: number
  readonly read: ExchangeOptions['read'] | undefined
}

/** Checks the option `exchange`. */
export function checkExchange(value: unknown, given: AuthOptions): Exchange | null {
  if (value === null) return null
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalidOption('exchange', 'be an object with until and read', describeValue(value))
  }
  const { until, read } = checkMembers('createAuth: exchange', value as ExchangeOptions, ['until', 'read'])
  const end = timeOf(until)
  if (end === undefined) {
    throw invalidOption('exchange.until', "be a Date, or a date such as '2027-03-31'", describeValue(until))
  }
  if (Object.hasOwn(value, 'read') && typeof read !== 'function') {
    throw invalidOption('exchange.read', 'be a function', describeValue(read))
  }
  if (read === undefined && !(Array.isArray(given.issuers) && given.issuers.length > 0)) {
    throw invalidOption('exchange', 'have read, or issuers must name the older system', 'neither')
  }
  return Object.freeze({ until: end, read })
}

/** Returns the time of a date in milliseconds since 1970; undefined if it is not a valid date. */
function timeOf(date: unknown): number | undefined {
  if (date instanceof Date) return Number.isNaN(date.getTime()) ? undefined : date.getTime()
  if (typeof date !== 'string' || !/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(date)) return undefined
  const time = Date.parse(date)
  // `Date` turns a day that the month does not have into a day of the next month.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date.slice(0, 10)) ? time : undefined
}
