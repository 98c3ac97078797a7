import type { GuardError, GuardRequest, TrustedIssuer } from '@sealwax/guard'
import { type Duration, toSeconds } from '@sealwax/jwt'
import { describeValue } from '@sealwax/jwt/internal'
import { AuthError } from '../errors.ts'
import type { AuditEvent } from './events.ts'
import type { Logger } from './logger.ts'
import { wrongOption } from './strict-options.ts'
import type { LoadSubject } from './subject.ts'
import type { Store } from './unit-of-work.ts'

/** The header in which proxies write the address of the client; `forwarded` is RFC 7239. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

/**
 * Options of `createAuth`. Unknown options and `undefined` values are refused with
 * `config_invalid`. A feature adds its own: it declares them in this interface and in `Config`, and
 * lists their rules in its `feature.ts`.
 */
export interface AuthOptions {
  /**
   * The URL of this issuer, in every token as `iss`, and the public base of its endpoints: https,
   * or http on loopback, in canonical form.
   */
  readonly issuer: string
  /** What the tokens are for (`aud`): one API, or a list of APIs. */
  readonly audience: string | readonly string[]
  /**
   * The server secret, at least 32 random characters. In a list, the first encrypts the stored keys
   * and all of them decrypt.
   */
  readonly secret: string | readonly string[]
  /** Where users, sessions and keys are stored: `sqliteStore(file)` or `postgresStore(url)`. */
  readonly store: Store
  /**
   * How long an access token is valid; it expires with its session at the latest. Default 15
   * minutes, at most 24 hours.
   */
  readonly accessTtl?: Duration
  /** Audit rows older than this are deleted. Default 400 days, at least 1 day. */
  readonly auditRetention?: Duration
  /** The path under which the routes are served, such as `/auth`. Default: the root. */
  readonly basePath?: string
  /**
   * Other issuers whose access tokens `auth.guard` accepts, such as an older system until a given
   * date. The routes of Sealwax do not accept them. Default none.
   */
  readonly issuers?: readonly TrustedIssuer[]
  /** Browser origins that may call the API from elsewhere, compared exactly. Default none. */
  readonly allowedOrigins?: readonly string[]
  /**
   * The name of the refresh token cookie; on https, it gets the prefix `__Host-`. Installations
   * that share a host need different names. Default 'sealwax'.
   */
  readonly cookieName?: string
  /** How many proxies in front are trusted, or their addresses in CIDR form. Default 0. */
  readonly trustProxy?: number | readonly string[]
  /**
   * The header in which these proxies write the address of the client. The other header is ignored.
   * Default 'x-forwarded-for'.
   */
  readonly forwardedHeader?: ForwardedHeader
  /**
   * The role that may call `/admin/*`. Choose one that your application does not use for something
   * else. Default 'sealwax:admin'.
   */
  readonly adminRole?: string
  /**
   * With 'off', an outdated database schema is refused with `schema_outdated` instead of being
   * migrated. Default 'auto'.
   */
  readonly migrate?: 'auto' | 'off'
  /**
   * Returns the roles, claims and `disabled` of a user. Called when a session begins and at each
   * refresh. Default: the data of the built-in users.
   */
  readonly loadSubject?: LoadSubject
  /**
   * Called with every audit event after its commit, even if several share a row of the audit log.
   */
  readonly onEvent?: (event: AuditEvent) => void
  /**
   * Called once for every refusal of `auth.guard`, before it is thrown. Errors it throws or rejects
   * with are ignored.
   */
  readonly onRefusal?: (error: GuardError, request: GuardRequest) => void
  /** A logger with the methods of pino. Default: nothing is logged. */
  readonly logger?: Logger
  /**
   * The time in milliseconds since 1970, for tests that move the clock. Default: the system clock.
   */
  readonly now?: () => number
}

/** The checked options, with defaults; durations in milliseconds. */
export interface Config {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly secret: readonly string[]
  readonly accessTtl: number
  readonly auditRetention: number
  readonly basePath: string
  readonly issuers: readonly TrustedIssuer[]
  readonly allowedOrigins: readonly string[]
  readonly cookieName: string
  readonly trustProxy: number | readonly string[]
  readonly forwardedHeader: ForwardedHeader
  readonly adminRole: string
  readonly migrate: 'auto' | 'off'
}

/** How one option is checked, and its default. */
export interface OptionRule {
  /**
   * Returns the value as `Config` contains it.
   *
   * @param given all options, for a rule that depends on another option
   * @throws {AuthError} `config_invalid`, see {@link invalidOption}
   */
  check(value: unknown, given: AuthOptions): unknown
  /** The default as a caller would write it, or a function of the other options. */
  readonly fallback?: unknown
  /** What to write, for a required option. */
  readonly example?: string
  /** Parses the variable `SEALWAX_…`. Absent: the option can only be set in code. */
  readonly parse?: (text: string) => unknown
}

/** The rules of some options, by name. */
export type OptionRules = { readonly [Name in keyof AuthOptions]?: OptionRule }

/** The environment variable of an option: `accessTtl` is `SEALWAX_ACCESS_TTL`. */
export function variableOf(option: string): string {
  return `SEALWAX_${option.replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

/** Parses a variable that is a string. */
export const text = (value: string): unknown => value
/** Parses a variable that is a list, separated by commas or spaces. */
export const words = (value: string): unknown => value.split(/[\s,]+/).filter((item) => item !== '')
/** Parses a variable that is a number, or a string such as `15m`. */
export const numberOrText = (value: string): unknown => (/^\d+$/.test(value) ? Number(value) : value)

/** The bounds of a duration, in milliseconds. */
interface DurationLimits {
  readonly least: number
  readonly most?: number
}

/** A rule for a duration. */
export function duration(name: string, fallback: Duration, limits: DurationLimits): OptionRule {
  return { fallback, parse: numberOrText, check: (value) => checkDuration(name, value as Duration, limits) }
}

/** A rule for one of several strings. */
export function oneOf(name: string, allowed: readonly string[], fallback: unknown): OptionRule {
  return {
    fallback,
    parse: text,
    check(value) {
      if (typeof value === 'string' && allowed.includes(value)) return value
      const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : describeValue(value)
      throw invalidOption(name, `be one of ${allowed.join(', ')}`, got)
    },
  }
}

/** A rule for true or false. */
export function trueOrFalse(name: string, fallback: unknown): OptionRule {
  return {
    fallback,
    parse: (value) => (value === 'true' ? true : value === 'false' ? false : value),
    check(value) {
      if (typeof value === 'boolean') return value
      throw invalidOption(name, 'be true or false', describeValue(value))
    },
  }
}

/** A rule for a function. */
export function callback(name: string): OptionRule {
  return {
    check(value) {
      if (typeof value === 'function') return value
      throw invalidOption(name, 'be a function', describeValue(value))
    },
  }
}

/**
 * Returns a duration in milliseconds.
 *
 * @throws {AuthError} `config_invalid` when it is not a duration, or out of bounds
 */
export function checkDuration(name: string, value: Duration, limits: DurationLimits): number {
  const { least, most = Infinity } = limits
  let milliseconds: number
  try {
    milliseconds = toSeconds(value) * 1000
  } catch {
    const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : describeValue(value)
    throw invalidOption(name, "be a number of seconds or a duration such as '15m'", got)
  }
  if (milliseconds < least || milliseconds > most) {
    const range = `be ${most === Infinity ? 'at least' : 'between'} ${durationInWords(least)}`
    const allowed = most === Infinity ? range : `${range} and ${durationInWords(most)}`
    throw invalidOption(name, allowed, durationInWords(milliseconds))
  }
  return milliseconds
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/**
 * A duration for messages, such as `15 minutes`, in the largest unit that does not need a fraction.
 */
export function durationInWords(milliseconds: number): string {
  // Up to one day in hours: `24 hours` is clearer next to other hours than `1 day`.
  const fits = ([unit, size]: (typeof UNITS)[number]) =>
    milliseconds % size === 0 && milliseconds >= (unit === 'day' ? 2 * size : size)
  const [unit, size] = UNITS.find(fits) ?? (['second', 1000] as const)
  const count = milliseconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/**
 * The error for an option of `createAuth`. All options use this form:
 * `createAuth: accessTtl must be between 1 second and 24 hours (got 30 hours)`.
 *
 * @param allowed what it must be or do, without "must"
 * @param got what was given; never a secret
 */
export function invalidOption(name: string, allowed: string, got: string): AuthError {
  return new AuthError('config_invalid', wrongOption('createAuth', name, allowed, got))
}
