import { audit } from '../core/audit.ts'
import type { Context, IssuedSince } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { Conflict, commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { revokeKid } from '../revocations/rules.ts'
import type { SigningKeyRow } from './contract.ts'
import { insertKey, type PreparedKey, prepareKey, reloadKeys, tendKeys } from './ring.ts'
import { createSchedule, type KeyState, LEAD, type Scheduled } from './schedule.ts'

/** A signing key, without its private part. */
export interface SigningKeyInfo {
  /** The key id, in the header of its tokens. */
  readonly kid: string
  /** The algorithm of its signatures. */
  readonly alg: string
  /** Its state in the schedule. */
  readonly state: KeyState
  /** When it was created and published. */
  readonly createdAt: Date
  /** When it began to sign, or will begin. */
  readonly signsFrom: Date
  /** When the next key takes over; undefined while no successor is planned. */
  readonly signsUntil: Date | undefined
  /** When it leaves the JWK Set; undefined while no successor is planned. */
  readonly retiresAt: Date | undefined
  /** When it was revoked; undefined if it was not. */
  readonly revokedAt: Date | undefined
}

/** Options of `auth.keys.revoke`. */
export interface RevokeKeyOptions {
  /**
   * Ends the sessions that were issued access tokens since the key began to sign. Default false:
   * they renew silently.
   */
  readonly endSessions?: boolean
  /** Revokes all keys, including the standby, for a server secret that leaked. Default false. */
  readonly all?: boolean
  /** Changes nothing and returns what would happen. Default false. */
  readonly dryRun?: boolean
}

/** What was revoked, or would be. */
export interface KeyRevocation {
  /** The ids of the revoked keys. */
  readonly revoked: readonly string[]
  /** The key that signs from now on; undefined for a new one. */
  readonly signing: string | undefined
  /** How many live sessions may have an access token of these keys. */
  readonly sessions: number
  /** How many users these sessions belong to. */
  readonly subjects: number
  /** Whether these sessions end; otherwise they renew silently. */
  readonly endsSessions: boolean
}

/**
 * Returns all keys, oldest first, or a page: at most `limit` keys after the key `after`.
 *
 * @throws {AuthError} `validation_failed` when there is no such key
 */
export async function listKeys(
  context: Context,
  { after, limit }: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<SigningKeyInfo[]> {
  const rows = await context.store.committed.signingKeys.list()
  const keys = createSchedule(rows, context.now()).map(toInfo)
  const start = after === undefined ? 0 : keys.findIndex(({ kid }) => kid === after) + 1
  if (after !== undefined && start === 0) {
    throw new AuthError('validation_failed', 'after must be the kid of a key from the previous page')
  }
  return keys.slice(start, limit === undefined ? undefined : start + limit)
}

/**
 * Makes the next key sign as soon as verifiers can know it: immediately if it has been published
 * for long enough, as the standby usually has. The current key stays valid until its last token has
 * expired.
 *
 * @returns all keys
 */
export async function rotateKeys(context: Context, origin?: RequestOrigin): Promise<SigningKeyInfo[]> {
  await tendKeys(context)
  await commit(context, async (unit) => {
    const now = context.now()
    const next = await lockStandby(context, unit)
    if (next === undefined) return
    const at = Math.max(now, next.created_at + LEAD)
    if (!(await unit.signingKeys.signSooner(next.kid, at))) return
    await audit(unit, { type: 'key.scheduled', time: now, ...origin, data: { kid: next.kid, signs_from: at } })
  })
  await tendKeys(context)
  return listKeys(context)
}

/**
 * Revokes a key in an emergency. It is removed from the JWK Set, the standby signs immediately, and
 * guards that follow the feed refuse its tokens as `token_stale`; clients renew silently. With
 * `endSessions`, it may be called again for a revoked key, to resume after an interruption.
 *
 * @throws {AuthError} `not_found`, also for a key that is already revoked or retired
 */
export async function revokeKey(
  context: Context,
  kid: string,
  { endSessions = false, all = false, dryRun = false }: RevokeKeyOptions = {},
  origin?: RequestOrigin,
): Promise<KeyRevocation> {
  const wanted = { kid, endSessions, all }
  const preview = planRevocation(await context.store.committed.signingKeys.list(), context.now(), wanted)
  const holders = context.features.flatMap(({ keyHolders }) => keyHolders ?? [])
  const counts = { sessions: 0, subjects: 0 }
  for (const holder of holders) {
    const { sessions, subjects } = await holder.count(context, preview.affected)
    counts.sessions += sessions
    counts.subjects += subjects
  }
  const plan = dryRun ? preview : await revokeAtOnce(context, wanted, origin)
  if (!dryRun) {
    await reloadKeys(context)
    if (endSessions) for (const holder of holders) await holder.end(context, plan.affected)
    await tendKeys(context)
  }
  const revoked = plan.revoking.map((row) => row.kid)
  return { revoked, signing: plan.next?.kid, ...counts, endsSessions: endSessions }
}

interface Wanted {
  readonly kid: string
  readonly endSessions: boolean
  readonly all: boolean
}

interface RevocationPlan {
  /** The keys to revoke. */
  readonly revoking: readonly SigningKeyRow[]
  /** The key that signs afterwards; undefined when none is left. */
  readonly next: SigningKeyRow | undefined
  /** The affected sessions. */
  readonly affected: IssuedSince
}

/**
 * The tolerated difference between clocks of servers, for whether a log-in came before a
 * revocation.
 */
const CLOCKS_DIFFER = 60_000

function planRevocation(
  rows: readonly SigningKeyRow[],
  now: number,
  { kid, endSessions, all }: Wanted,
): RevocationPlan {
  const schedule = createSchedule(rows, now)
  const target = schedule.find(({ row }) => row.kid === kid)
  if (target === undefined) throw new AuthError('not_found', 'There is no such signing key')
  const { row, state } = target
  const isOver = state === 'retired' || (state === 'revoked' && !endSessions)
  if (isOver) throw new AuthError('not_found', `This signing key is already ${state}`)
  const live = schedule.filter((one) => one.state !== 'revoked' && one.state !== 'retired')
  const revoking = live.filter((one) => all || one.row.kid === kid)
  const left = live.filter((one) => !revoking.includes(one))
  const next = left.find((one) => one.state === 'signing') ?? left.find((one) => one.state === 'published')
  // A token that expires after the key began to sign may be signed by it. If sessions do not end,
  // only those with a token that is still valid are affected.
  const since = all ? 0 : row.signs_from
  const affected = {
    since: endSessions ? since : Math.max(since, now),
    before: (row.revoked_at ?? now) + CLOCKS_DIFFER,
  }
  return { revoking: revoking.map((one) => one.row), next: next?.row, affected }
}

/** Plans and writes in one transaction. Tries again when another process took the same sequence. */
async function revokeAtOnce(
  context: Context,
  wanted: Wanted,
  origin: RequestOrigin | undefined,
): Promise<RevocationPlan> {
  for (;;) {
    const spare = await prepareKey(context)
    try {
      return await commit(context, async (unit) => {
        const rows = await unit.signingKeys.lock()
        const plan = planRevocation(rows, context.now(), wanted)
        await writeRevocation(context, unit, { ...plan, rows, spare, origin })
        return plan
      })
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
    }
  }
}

async function writeRevocation(
  context: Context,
  unit: Unit,
  {
    revoking,
    next,
    rows,
    spare,
    origin,
  }: RevocationPlan & { rows: readonly SigningKeyRow[]; spare: PreparedKey; origin: RequestOrigin | undefined },
): Promise<void> {
  const now = context.now()
  if (next !== undefined) await unit.signingKeys.signSooner(next.kid, now)
  else await insertKey(context, unit, { ...spare, sequence: (rows.at(-1)?.sequence ?? 0) + 1, signs_from: now })
  for (const row of revoking) {
    const { kid, alg } = row
    if (!(await unit.signingKeys.revoke(kid, now))) continue
    await revokeKid(context, unit, row)
    await audit(unit, { type: 'key.revoked', time: now, ...origin, data: { kid, alg } })
  }
}

async function lockStandby(context: Context, unit: Unit): Promise<SigningKeyRow | undefined> {
  const schedule = createSchedule(await unit.signingKeys.lock(), context.now())
  return schedule.find(({ state }) => state === 'published')?.row
}

function toInfo({ row, state, until, retiresAt }: Scheduled): SigningKeyInfo {
  return {
    kid: row.kid,
    alg: row.alg,
    state,
    createdAt: new Date(row.created_at),
    signsFrom: new Date(row.signs_from),
    signsUntil: toDate(until),
    retiresAt: toDate(retiresAt),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
  }
}

function toDate(time: number): Date | undefined {
  return Number.isFinite(time) ? new Date(time) : undefined
}
