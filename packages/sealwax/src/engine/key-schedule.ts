import type { Config } from '../options.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'

/**
 * Where a signing key stands. `published`: in the JWK Set, not signing yet. `signing`. `retiring`: signs no more, its last tokens are alive.
 * `retired`: nothing it signed is alive. `revoked`: taken back in an emergency.
 */
export type KeyState = 'published' | 'signing' | 'retiring' | 'retired' | 'revoked'

/** For so long whoever reads the JWK Set may keep it. In milliseconds, as all times here. */
export const JWKS_LIFETIME = 300_000
/** A process signs for so long after it last read the keys; then it would not know that another key should. */
export const SIGNING_DEADLINE = 60_000
/** Verifiers keep a set for ten minutes by themselves, as most libraries do, whatever the reply said. */
const VERIFIERS_KEEP = 600_000
/** So long a key is published at least before it may sign: nobody meets a token whose key they cannot find. */
export const LEAD = JWKS_LIFETIME + VERIFIERS_KEEP + SIGNING_DEADLINE
/** Beyond the life of its last token: processes that had not read the keys, and, as for revocations, a clock that ran an hour ahead. */
const MARGIN = SIGNING_DEADLINE + 3_660_000

/** The news that a key is revoked must be everywhere before the set is without it: a guard that misses the key and knows of nothing would log people out. */
const NEWS_FIRST = 5_000

type Plan = Pick<Config, 'alg' | 'keyPeriod'>

/** One key on the time line. */
export interface Scheduled<Row extends SigningKeyRow = SigningKeyRow> {
  readonly row: Row
  readonly state: KeyState
  /** When it stops signing: the moment a successor begins, as far as there is one. */
  readonly until: number
  /** When nothing it signed is alive any more, and it leaves the JWK Set. */
  readonly retiresAt: number
}

/**
 * Where every key stands at `now`. Of the keys whose time has come the one of the highest sequence signs, so there is never a gap and never a choice: a key
 * signs until a later one begins, and one that is overtaken before its time never signs.
 *
 * @param rows all keys, oldest first
 */
export function scheduleOf(rows: readonly SigningKeyRow[], now: number): Scheduled[] {
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

/** The key that signs at `now`; on a clock that stands before the first key's time, the first. */
export function signerAt<Row extends SigningKeyRow>(rows: readonly Row[], now: number): Row | undefined {
  const live = rows.filter((row) => row.revoked_at === null)
  return live.findLast((row) => row.signs_from <= now) ?? live[0]
}

/**
 * When the next key must begin to sign, or undefined while enough are planned: there is always one that is published and has not signed yet, and whoever
 * signs later than {@link LEAD} from now is published already. Another algorithm is a rotation like any other.
 */
export function nextSigning(rows: readonly SigningKeyRow[], now: number, plan: Plan): number | undefined {
  const last = rows.findLast((row) => row.revoked_at === null)
  if (last === undefined) return now
  // While servers of both algorithms run, neither makes another key as long as one of its own signs or is about to.
  const ours = scheduleOf(rows, now).some(
    ({ row, state }) => row.alg === plan.alg && (state === 'signing' || state === 'published'),
  )
  if (!ours) return now + LEAD
  return last.signs_from > now + LEAD ? undefined : Math.max(last.signs_from + plan.keyPeriod, now + LEAD)
}

/** The keys that the JWK Set holds. */
export function listedKeys(schedule: readonly Scheduled[], now: number): SigningKeyRow[] {
  const listed = schedule.filter(({ row, state }) =>
    row.revoked_at === null ? state !== 'retired' : isNews(row.revoked_at, now),
  )
  return listed.map(({ row }) => row)
}

/** Whether it happened a moment ago. A clock that is ahead of ours makes nothing news for as long as it is. */
function isNews(revokedAt: number, now: number): boolean {
  return Math.abs(now - revokedAt) < NEWS_FIRST
}

/** When the set of listed keys changes next by the plan: one retires, or another is made. */
export function nextChange(schedule: readonly Scheduled[], now: number): number {
  const standby = schedule.filter(({ state }) => state === 'published').map(({ row }) => row.signs_from - LEAD)
  const retiring = schedule.map(({ row, retiresAt }) =>
    row.revoked_at === null ? retiresAt : row.revoked_at + NEWS_FIRST,
  )
  return Math.min(...[...standby, ...retiring].filter((at) => at > now))
}
