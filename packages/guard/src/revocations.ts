import { createHash } from 'node:crypto'
import type { Duration, JwtHeader, JwtPayload } from '@sealwax/jwt'
import { createEndedSubjects } from './ended-subjects.ts'
import { createLiveEntries } from './live-entries.ts'

/**
 * One revocation. `until` is in seconds since 1970: the latest `exp` of a token that it concerns, and a margin.
 * - `sid`: the session has ended; its tokens are `token_revoked`.
 * - `sub`: all sessions of the user have ended but, perhaps, the one named by `except`; the user's other tokens with a `ver` lower than `below`, or none, are
 *   `token_revoked`. `subject` is a {@link subjectKey}.
 * - `ver`: the user's roles or password changed; the user's tokens with a lower `ver`, or none, are `token_stale`. `subject` is a {@link subjectKey}.
 * - `kid`: the signing key was revoked; tokens signed with it are `token_stale`.
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

/** Why a verified token is refused all the same. `revocation_unavailable`: the answer is not known. */
export type RevocationVerdict = 'token_revoked' | 'token_stale' | 'revocation_unavailable'

/** A verified token, or an `Auth` that was made of one. */
export interface RevocableToken {
  readonly payload: JwtPayload
  readonly header: JwtHeader
  /** The {@link subjectKey} of the token's `iss` and `sub`, where it is known already. */
  readonly subjectKey?: string
}

/** What a check says about a token: a verdict, or `true` if it is revoked; `false` or `undefined` if it is not. */
export type RevocationAnswer = RevocationVerdict | boolean | undefined

/** What a guard asks about every token whose signature and claims hold. */
export interface RevocationCheck {
  /**
   * Whether a verified token is revoked. May return a promise, for a look-up in Redis or SQL; where that rejects, or `check` throws, the request is refused
   * with `revocation_unavailable`. Anything but a {@link RevocationAnswer} makes `authenticate` throw a TypeError.
   */
  check(token: RevocableToken): RevocationAnswer | PromiseLike<RevocationAnswer>
  /** How long an answer holds for a token that the guard remembers: 1 second to 1 day. Default: each request asks. */
  readonly cacheFor?: Duration
  /**
   * Has a listener called after each new revocation; what it throws is dropped. Returns the function that ends this. With it a socket is closed at
   * once when its token is revoked; where it is absent, `authenticateSocket` asks `check` each second.
   */
  subscribe?(listener: (entry: Revocation) => void): () => void
}

/** The live revocations of one process, in memory. Entries leave by themselves when their time has come. */
export interface RevocationList extends RevocationCheck {
  /** The verdict about a verified token; `undefined` if it stands. Answers from memory, at once. */
  check(token: RevocableToken): RevocationVerdict | undefined
  /**
   * Adds a revocation. Adding another never weakens it: the later `until` and the higher `ver` or `below` count, and a session that one `sub` excepts is
   * still refused by the others. One whose `until` has passed is dropped.
   * @throws TypeError for an entry of another kind or shape, or an `until` that cannot be in seconds
   */
  add(entry: Revocation): void
  /** See {@link RevocationCheck.subscribe}; the listener is given the entry. */
  subscribe(listener: (entry: Revocation) => void): () => void
  /** How many revocations are live. */
  readonly size: number
}

/** Options of {@link createRevocationList}. */
export interface RevocationListOptions {
  /** The time in milliseconds since 1970. Default: the wall clock or the monotonic clock, whichever is behind. */
  readonly now?: () => number
}

/** Greatest `until` taken for seconds; milliseconds of this century are beyond it. */
const LATEST_UNTIL = 1e11

/**
 * Creates an empty {@link RevocationList}. A check is a look-up by session id and key id, and by subject once there was a `sub` or `ver`. A million
 * revocations whose names are 128 bits in base64url take about 40 MiB.
 */
export function createRevocationList({ now = earlierClock }: RevocationListOptions = {}): RevocationList {
  const sessions = createLiveEntries(false)
  const ended = createEndedSubjects()
  const subjects = createLiveEntries(true)
  const keys = createLiveEntries(false)
  const listeners = new Set<(entry: Revocation) => void>()
  /** Whether there has ever been such an entry: spares the hash of the subject as long as there was none. */
  let hasSubjects = false

  return {
    check(token) {
      const { payload, header } = token
      if (typeof payload.sid === 'string' && sessions.versionOf(payload.sid, now) !== undefined) return 'token_revoked'
      const subject = hasSubjects ? subjectOf(token) : undefined
      if (subject !== undefined && ended.refuses(subject, payload, now)) return 'token_revoked'
      if (typeof header.kid === 'string' && keys.versionOf(header.kid, now) !== undefined) return 'token_stale'
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
      else if (kind === 'sub') ended.add(entry, time)
      else subjects.add(entry.subject, until, entry.ver, time)
      hasSubjects ||= kind === 'sub' || kind === 'ver'
      for (const listener of listeners) tell(listener, entry)
    },
    subscribe(listener) {
      // A function of its own for each subscription, so that the same listener may subscribe twice and leave once.
      const own = (entry: Revocation) => listener(entry)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    get size() {
      const time = now()
      return sessions.count(time) + ended.count(time) + subjects.count(time) + keys.count(time)
    },
  }
}

function tell(listener: (entry: Revocation) => void, entry: Revocation): void {
  try {
    listener(entry)
  } catch {
    // The entry counts, whatever becomes of the news.
  }
}

function subjectOf({ payload, subjectKey: known }: RevocableToken): string | undefined {
  const { iss = '', sub } = payload
  return typeof iss === 'string' && typeof sub === 'string' ? (known ?? subjectKey(iss, sub)) : undefined
}

/**
 * The key of a user in a revocation: the first 16 bytes of SHA-256(issuer ‖ 0 ‖ subject) as base64url. It hides only a subject that nobody can guess: whoever
 * tries the subjects there may be (e-mail addresses, small numbers) finds out which one an entry is about.
 * @param issuer the `iss` of the user's tokens; empty for tokens without one @param subject the `sub`
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
    'RevocationList: an entry is { kind: "sid", sid }, { kind: "sub", subject, below, except? }, { kind: "ver", subject, ver } or { kind: "kid", kid }; a newer issuer may send others',
  )
}

function isKnown(entry: Revocation): boolean {
  if (entry.kind === 'sid') return isName(entry.sid)
  if (entry.kind === 'kid') return isName(entry.kid)
  if (entry.kind !== 'sub' && entry.kind !== 'ver') return false
  if (typeof entry.subject !== 'string' || !/^[A-Za-z0-9_-]{22}$/.test(entry.subject)) return false
  if (entry.kind === 'ver') return Number.isFinite(entry.ver)
  return Number.isFinite(entry.below) && (entry.except === undefined || isName(entry.except))
}

function isName(id: unknown): boolean {
  return typeof id === 'string' && id !== ''
}

/**
 * A clock that jumps forward would drop revocations of tokens that are valid again once it is set right. So an entry leaves only when
 * both the wall clock and the clock that never jumps say so.
 */
function earlierClock(): number {
  return Math.min(Date.now(), performance.timeOrigin + performance.now())
}
