import { createHash } from 'node:crypto'
import type { Duration, JwtHeader, JwtPayload } from '@sealwax/jwt'
import { checkOptions, mustBeFunction, type OptionRules } from '../strict-options.ts'
import { createEndedSubjects } from './ended-subjects.ts'
import { createLiveEntries } from './live-entries.ts'

/**
 * One revocation. `until` is in seconds since 1970: the latest `exp` of a token it applies to, plus
 * a margin.
 * - `sid`: the session has ended; its tokens are `token_revoked`.
 * - `sub`: all sessions of the user have ended, except the one in `except` if given; the user's
 *   other tokens with a `ver` lower than `below`, or none, are `token_revoked`. `subject` is a
 *   {@link subjectKey}.
 * - `ver`: the user's roles or password changed; the user's tokens with a lower `ver`, or none, are
 *   `token_stale`. `subject` is a {@link subjectKey}.
 * - `kid`: the signing key was revoked; tokens signed with it are `token_stale`.
 * - `jti`: this one token is `token_stale`.
 */
export type Revocation =
  | { readonly kind: 'sid'; readonly sid: string; readonly until: number }
  | {
      readonly kind: 'sub'
      readonly subject: string
      readonly below: number
      readonly except?: string
      readonly until: number
    }
  | { readonly kind: 'ver'; readonly subject: string; readonly ver: number; readonly until: number }
  | { readonly kind: 'kid'; readonly kid: string; readonly until: number }
  | { readonly kind: 'jti'; readonly jti: string; readonly until: number }

/**
 * Why a verified token is refused. `revocation_unavailable`: it is not known whether it was
 * revoked.
 */
export type RevocationVerdict = 'token_revoked' | 'token_stale' | 'revocation_unavailable'

/** A verified token, or the `Auth` of one. */
export interface RevocableToken {
  /** The claims of the token. */
  readonly payload: JwtPayload
  /** The protected header of the token. */
  readonly header: JwtHeader
  /** The subject. Default: the claim `sub`. */
  readonly subject?: string
  /** The {@link subjectKey} of the token's `iss` and subject, if already known. */
  readonly subjectKey?: string
}

/**
 * The result of a check: a verdict, or `true` if the token is revoked; `false` or `undefined` if it
 * is not.
 */
export type RevocationAnswer = RevocationVerdict | boolean | undefined

/**
 * Called by a guard for every token whose signature and claims are valid. A synchronous check is
 * also called for a token with an unknown `kid`, with an empty `payload`: its key may be revoked.
 */
export interface RevocationCheck {
  /**
   * Returns whether a verified token is revoked. May return a promise, for a look-up in Redis or
   * SQL; if it rejects, or `check` throws, the request is refused with `revocation_unavailable`. If
   * the result is not a {@link RevocationAnswer}, `authenticate` throws a TypeError.
   */
  check(token: RevocableToken): RevocationAnswer | PromiseLike<RevocationAnswer>
  /**
   * How long a result is reused for a token in the guard's cache: 1 second to 1 day. Default:
   * `check` is called for each request.
   */
  readonly cacheFor?: Duration
  /**
   * Calls a listener after each new revocation; errors it throws are ignored. With it, a socket or
   * stream ends immediately when its token is revoked; without it, `authenticateSocket` and `watch`
   * call `check` every second.
   * @returns a function that ends the subscription
   */
  subscribe?(listener: (entry: Revocation) => void): () => void
}

/** The current revocations of one process, in memory. Entries are removed after their `until`. */
export interface RevocationList extends RevocationCheck {
  /** Returns the verdict about a verified token, from memory; `undefined` if it is not revoked. */
  check(token: RevocableToken): RevocationVerdict | undefined
  /**
   * Adds a revocation. A later entry never weakens an earlier one: the later `until` and the higher
   * `ver` or `below` apply, and a session that one `sub` excepts is still refused by the others. An
   * entry whose `until` has passed is ignored.
   * @throws {TypeError} for an entry of another kind or shape, or an `until` that cannot be in
   * seconds
   */
  add(entry: Revocation): void
  /** See {@link RevocationCheck.subscribe}; the listener is given the entry. */
  subscribe(listener: (entry: Revocation) => void): () => void
  /** Number of revocations whose `until` has not passed. */
  readonly size: number
}

/** Options of {@link createRevocationList}. */
export interface RevocationListOptions {
  /**
   * The time in milliseconds since 1970. Default: the earlier of wall clock and monotonic clock.
   */
  readonly now?: () => number
}

const OPTIONS: OptionRules<RevocationListOptions> = {
  example: '{ now }',
  rules: { now: mustBeFunction('a function that returns milliseconds since 1970') },
}

/** Maximum of `until` in seconds; times of this century in milliseconds are greater. */
const LATEST_UNTIL = 1e11

/**
 * Creates an empty {@link RevocationList}. A check is a look-up by session id, token id and key id,
 * and by subject once a `sub` or `ver` was added. A million revocations whose names are 128 bits in
 * base64url take about 40 MiB.
 * @throws {TypeError} for unknown or `undefined` options
 */
export function createRevocationList(options: RevocationListOptions = {}): RevocationList {
  checkOptions('createRevocationList', options, OPTIONS)
  const { now = earlierClock } = options
  const sessions = createLiveEntries(false)
  const ended = createEndedSubjects()
  const subjects = createLiveEntries(true)
  const keys = createLiveEntries(false)
  const tokens = createLiveEntries(false)
  const listeners = new Set<(entry: Revocation) => void>()
  /** Whether there ever was a `sub` or `ver` entry. Without one, the subject need not be hashed. */
  let hasSubjects = false

  return {
    check(token) {
      const { payload, header } = token
      if (typeof payload.sid === 'string' && sessions.versionOf(payload.sid, now) !== undefined) return 'token_revoked'
      const subject = hasSubjects ? subjectKeyOf(token) : undefined
      if (subject !== undefined && ended.refuses(subject, payload, now)) return 'token_revoked'
      if (typeof header.kid === 'string' && keys.versionOf(header.kid, now) !== undefined) return 'token_stale'
      if (typeof payload.jti === 'string' && tokens.versionOf(payload.jti, now) !== undefined) return 'token_stale'
      const version = subject === undefined ? undefined : subjects.versionOf(subject, now)
      if (version === undefined) return undefined
      return typeof payload.ver === 'number' && payload.ver >= version ? undefined : 'token_stale'
    },
    add(entry) {
      const time = now()
      checkEntry(entry)
      const { kind, until } = entry
      if (until * 1000 <= time) return
      if (kind === 'sid') sessions.add(entry.sid, until, 0, time)
      else if (kind === 'kid') keys.add(entry.kid, until, 0, time)
      else if (kind === 'jti') tokens.add(entry.jti, until, 0, time)
      else if (kind === 'sub') ended.add(entry, time)
      else subjects.add(entry.subject, until, entry.ver, time)
      hasSubjects ||= kind === 'sub' || kind === 'ver'
      for (const listener of listeners) tell(listener, entry)
    },
    subscribe(listener) {
      // A new function for each subscription, so that a listener may subscribe twice and
      // unsubscribe once.
      const own = (entry: Revocation) => listener(entry)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    get size() {
      const time = now()
      return sessions.count(time) + ended.count(time) + subjects.count(time) + keys.count(time) + tokens.count(time)
    },
  }
}

function tell(listener: (entry: Revocation) => void, entry: Revocation): void {
  try {
    listener(entry)
  } catch {
    // The entry is added even if a listener fails.
  }
}

function subjectKeyOf({ payload, subject = payload.sub, subjectKey: known }: RevocableToken): string | undefined {
  const { iss = '' } = payload
  if (known !== undefined) return known
  return typeof iss === 'string' && typeof subject === 'string' ? subjectKey(iss, subject) : undefined
}

/**
 * Returns the key of a user in a revocation: the first 16 bytes of SHA-256(issuer ‖ 0 ‖ subject) as
 * base64url. It does not hide subjects that can be guessed, such as e-mail addresses or small
 * numbers.
 * @param issuer the `iss` of the user's tokens; empty for tokens without one
 * @param subject `Auth.subject`: the `sub` of the user's tokens, unless `claims` of the guard says
 * otherwise
 */
export function subjectKey(issuer: string, subject: string): string {
  return createHash('sha256').update(`${issuer}\0${subject}`).digest().subarray(0, 16).toString('base64url')
}

function checkEntry(entry: Revocation): void {
  if (!(typeof entry.until === 'number' && entry.until >= 0 && entry.until < LATEST_UNTIL)) {
    throw new TypeError('RevocationList: until must be a number of seconds since 1970')
  }
  if (isKnown(entry)) return
  throw new TypeError(
    'RevocationList: an entry is { kind: "sid", sid }, { kind: "sub", subject, below, except? }, { kind: "ver", subject, ver }, { kind: "kid", kid } or { kind: "jti", jti }; a newer issuer may send others',
  )
}

function isKnown(entry: Revocation): boolean {
  if (entry.kind === 'sid') return isName(entry.sid)
  if (entry.kind === 'kid') return isName(entry.kid)
  if (entry.kind === 'jti') return isName(entry.jti)
  if (entry.kind !== 'sub' && entry.kind !== 'ver') return false
  if (typeof entry.subject !== 'string' || !/^[A-Za-z0-9_-]{22}$/.test(entry.subject)) return false
  if (entry.kind === 'ver') return Number.isFinite(entry.ver)
  return Number.isFinite(entry.below) && (entry.except === undefined || isName(entry.except))
}

function isName(id: unknown): boolean {
  return typeof id === 'string' && id !== ''
}

/**
 * If the wall clock jumps forward, an entry must not be removed whose tokens are valid again once
 * the clock is corrected. So an entry is removed only after its `until` has passed on the monotonic
 * clock, too.
 */
function earlierClock(): number {
  return Math.min(Date.now(), performance.timeOrigin + performance.now())
}
