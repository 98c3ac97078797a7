import type { Config } from '../core/options.ts'
import type { SigningKeyRow } from './contract.ts'

/**
 * The state of a signing key. `published`: in the JWK Set, not signing yet (a standby). `signing`.
 * `retiring`: no longer signing, some of its tokens are valid. `retired`: all of its tokens have
 * expired. `revoked`: revoked in an emergency.
 */
export type KeyState = 'published' | 'signing' | 'retiring' | 'retired' | 'revoked'

/** The `max-age` of the JWK Set. All times here are in milliseconds. */
export const JWKS_LIFETIME = 300_000
/**
 * How long a process may sign after it last read the keys: later, another key may have taken over.
 */
export const SIGNING_DEADLINE = 60_000
/** How long most libraries cache a JWK Set, independent of `max-age`. */
const VERIFIERS_KEEP = 600_000
/** How long a key is published before it signs, so that every verifier has it by then. */
export const LEAD = JWKS_LIFETIME + VERIFIERS_KEEP + SIGNING_DEADLINE
/**
 * How long a key is kept after its last token has expired: for processes that had not read the
 * keys, and for a clock that ran an hour ahead, as for revocations.
 */
const MARGIN = SIGNING_DEADLINE + 3_660_000

/**
 * How long a revoked key stays in the JWK Set. Guards must receive the revocation first: without
 * it, they would refuse the tokens of a missing key as invalid instead of stale, and clients would
 * log out.
 */
const NEWS_FIRST = 5_000

/** The options that determine when a key is created, and its algorithm. */
type RotationPolicy = Pick<Config, 'alg' | 'keyPeriod'>

/** A key and its place in the schedule. */
export interface Scheduled<Row extends SigningKeyRow = SigningKeyRow> {
  /** The key as it is stored. */
  readonly row: Row
  /** Its state at the given time. */
  readonly state: KeyState
  /** When it stops signing: when its successor begins, or Infinity. */
  readonly until: number
  /** When its last token has expired and it leaves the JWK Set. */
  readonly retiresAt: number
}

/**
 * Returns the state of every key at `now`. Of the keys whose `signs_from` has passed, the one with
 * the highest sequence signs. So exactly one key signs at any time, until a later one begins; a key
 * that is overtaken before its `signs_from` never signs.
 *
 * @param rows all keys, oldest first
 */
export function createSchedule(rows: readonly SigningKeyRow[], now: number): Scheduled[] {
  const signer = signerAt(rows, now)
  return rows.map((row, index) => {
    const { revoked_at, signs_from, access_ttl } = row
    const successors = rows.slice(index + 1).filter((later) => later.revoked_at === null)
    const until = revoked_at ?? Math.min(Infinity, ...successors.map((later) => later.signs_from))
    const retiresAt = until + access_ttl + MARGIN
    if (now >= retiresAt) return { row, until, retiresAt, state: 'retired' }
    if (revoked_at !== null) return { row, until, retiresAt, state: 'revoked' }
    if (row === signer) return { row, until, retiresAt, state: 'signing' }
    return { row, until, retiresAt, state: now < Math.min(signs_from, until) ? 'published' : 'retiring' }
  })
}

/** Returns the key that signs at `now`. Before the first `signs_from`, that is the first key. */
export function signerAt<Row extends SigningKeyRow>(rows: readonly Row[], now: number): Row | undefined {
  const live = rows.filter((row) => row.revoked_at === null)
  return live.findLast((row) => row.signs_from <= now) ?? live[0]
}

/**
 * Returns when the next key must begin to sign, or undefined while enough keys are planned. There
 * is always a standby, and every key that signs within {@link LEAD} is already published. A change
 * of the algorithm is a rotation like any other.
 */
export function nextSigning(rows: readonly SigningKeyRow[], now: number, policy: RotationPolicy): number | undefined {
  const last = rows.findLast((row) => row.revoked_at === null)
  if (last === undefined) return now
  // While servers with two algorithms run side by side, neither creates a key as long as one of its
  // own algorithm signs or is a standby.
  const ours = createSchedule(rows, now).some(
    ({ row, state }) => row.alg === policy.alg && (state === 'signing' || state === 'published'),
  )
  if (!ours) return now + LEAD
  return last.signs_from > now + LEAD ? undefined : Math.max(last.signs_from + policy.keyPeriod, now + LEAD)
}

/** Returns the keys of the JWK Set. */
export function listedKeys(schedule: readonly Scheduled[], now: number): SigningKeyRow[] {
  const listed = schedule.filter(({ row, state }) =>
    row.revoked_at === null ? state !== 'retired' : isNews(row.revoked_at, now),
  )
  return listed.map(({ row }) => row)
}

/** Whether a revocation is recent. A time far ahead, from another clock, is not. */
function isNews(revokedAt: number, now: number): boolean {
  return Math.abs(now - revokedAt) < NEWS_FIRST
}

/**
 * Returns when the JWK Set changes next, as far as planned: a key retires, or a new one is created.
 */
export function nextChange(schedule: readonly Scheduled[], now: number): number {
  const standby = schedule.filter(({ state }) => state === 'published').map(({ row }) => row.signs_from - LEAD)
  const retiring = schedule.map(({ row, retiresAt }) =>
    row.revoked_at === null ? retiresAt : row.revoked_at + NEWS_FIRST,
  )
  return Math.min(...[...standby, ...retiring].filter((at) => at > now))
}
