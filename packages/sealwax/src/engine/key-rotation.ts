import { AuthError } from '../errors.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'
import { Conflict } from '../store/contract/store.ts'
import { audit } from './audit.ts'
import { type Client, type Context, commit, type Unit } from './context.ts'
import { type KeyState, LEAD, type Scheduled, scheduleOf } from './key-schedule.ts'
import { insertKey, type PreparedKey, prepareKey, reloadKeys, tendKeys } from './keys.ts'
import { revokeKid } from './revocations.ts'
import { endIssuedSessions } from './sessions.ts'

/** A signing key as an operator sees it; never a private half. */
export interface SigningKeyInfo {
  readonly kid: string
  readonly alg: string
  readonly state: KeyState
  readonly createdAt: Date
  /** When it began to sign, or will. */
  readonly signsFrom: Date
  /** When the next key takes over; undefined while no successor is planned. */
  readonly signsUntil: Date | undefined
  /** When it leaves the JWK Set; undefined like `signsUntil`. */
  readonly retiresAt: Date | undefined
  readonly revokedAt: Date | undefined
}

/** What an emergency takes back. */
export interface RevokeKeyOptions {
  /** Ends the sessions that were given access tokens since the key began to sign. Default: they renew silently. */
  readonly endSessions?: boolean
  /** Revokes every key, those that wait to sign too: for a server secret that leaked. */
  readonly all?: boolean
  /** Changes nothing, and answers what would be. */
  readonly dryRun?: boolean
}

/** What was revoked, or would be. */
export interface KeyRevocation {
  /** The keys that are revoked. */
  readonly revoked: readonly string[]
  /** The key that signs from now on; undefined: one that is made for it. */
  readonly signing: string | undefined
  /** Live sessions that may hold an access token of these keys, and how many users they belong to. */
  readonly sessions: number
  readonly subjects: number
  /** Whether these sessions end, or renew silently. */
  readonly endsSessions: boolean
}

/** All keys, oldest first, or a page of them: at most `limit` behind the key `after`. Throws `validation_failed` when there is no such key. */
export async function listKeys(
  context: Context,
  { after, limit }: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<SigningKeyInfo[]> {
  const rows = await context.store.committed.signingKeys.list()
  const keys = scheduleOf(rows, context.now()).map(infoOf)
  const start = after === undefined ? 0 : keys.findIndex(({ kid }) => kid === after) + 1
  if (after !== undefined && start === 0) {
    throw new AuthError('validation_failed', 'after must be the kid of a key that the page before has shown')
  }
  return keys.slice(start, limit === undefined ? undefined : start + limit)
}

/**
 * Lets the next key sign as soon as verifiers can know it: at once when it has been published for long enough, as the standby usually has.
 * Answers all keys. The one that signed keeps verifying until its last token has expired.
 */
export async function rotateKeys(context: Context, client?: Client): Promise<SigningKeyInfo[]> {
  await tendKeys(context)
  await commit(context, async (unit) => {
    const now = context.now()
    const next = await standbyOf(context, unit)
    if (next === undefined) return
    const at = Math.max(now, next.created_at + LEAD)
    if (!(await unit.signingKeys.signSooner(next.kid, at))) return
    await audit(unit, { type: 'key.scheduled', time: now, ...client, data: { kid: next.kid, signs_from: at } })
  })
  await tendKeys(context)
  return listKeys(context)
}

/**
 * Takes a key back in an emergency. It leaves the JWK Set, the standby signs at once, and everything it signed is `token_stale` at every guard that follows
 * the feed; clients renew silently. With `endSessions` it may be called again for a key that is revoked already, after it was interrupted.
 * Throws `not_found`, also for a key that is revoked or retired already.
 */
export async function revokeKey(
  context: Context,
  kid: string,
  { endSessions = false, all = false, dryRun = false }: RevokeKeyOptions = {},
  client?: Client,
): Promise<KeyRevocation> {
  const wanted = { kid, endSessions, all }
  const { signingKeys, sessions } = context.store.committed
  const planned = planOf(await signingKeys.list(), context.now(), wanted)
  const affected = await sessions.countIssued({ ...planned.concerned, now: context.now() })
  const plan = dryRun ? planned : await revokeAtOnce(context, wanted, client)
  if (!dryRun) {
    await reloadKeys(context)
    if (endSessions) await endIssuedSessions(context, plan.concerned, 'key_revoked')
    await tendKeys(context)
  }
  const revoked = plan.doomed.map((row) => row.kid)
  return { revoked, signing: plan.next?.kid, ...affected, endsSessions: endSessions }
}

interface Wanted {
  readonly kid: string
  readonly endSessions: boolean
  readonly all: boolean
}

interface Plan {
  readonly doomed: readonly SigningKeyRow[]
  /** Who signs afterwards; undefined when nobody is left. */
  readonly next: SigningKeyRow | undefined
  /** The sessions that are concerned: given access tokens since, and begun before. */
  readonly concerned: { readonly since: number; readonly before: number }
}

/** Clocks of servers differ so much at most when it matters which came first: a log-in or a revocation. */
const CLOCKS_DIFFER = 60_000

function planOf(rows: readonly SigningKeyRow[], now: number, { kid, endSessions, all }: Wanted): Plan {
  const schedule = scheduleOf(rows, now)
  const target = schedule.find(({ row }) => row.kid === kid)
  if (target === undefined) throw new AuthError('not_found', 'There is no such signing key')
  const { row, state } = target
  const isOver = state === 'retired' || (state === 'revoked' && !endSessions)
  if (isOver) throw new AuthError('not_found', `This signing key is ${state} already`)
  const live = schedule.filter((one) => one.state !== 'revoked' && one.state !== 'retired')
  const doomed = live.filter((one) => all || one.row.kid === kid)
  const left = live.filter((one) => !doomed.includes(one))
  const next = left.find((one) => one.state === 'signing') ?? left.find((one) => one.state === 'published')
  // An access token that expires later than the key's first moment may be the key's; without an end, only who holds a living one notices.
  const since = all ? 0 : row.signs_from
  const concerned = {
    since: endSessions ? since : Math.max(since, now),
    before: (row.revoked_at ?? now) + CLOCKS_DIFFER,
  }
  return { doomed: doomed.map((one) => one.row), next: next?.row, concerned }
}

/** Plans and writes in one transaction; again, when somebody else made a key of the same number meanwhile. */
async function revokeAtOnce(context: Context, wanted: Wanted, client: Client | undefined): Promise<Plan> {
  for (;;) {
    const spare = await prepareKey(context)
    try {
      return await commit(context, async (unit) => {
        const rows = await unit.signingKeys.lock()
        const plan = planOf(rows, context.now(), wanted)
        await writeRevocation(context, unit, { ...plan, rows, spare, client })
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
    doomed,
    next,
    rows,
    spare,
    client,
  }: Plan & { rows: readonly SigningKeyRow[]; spare: PreparedKey; client: Client | undefined },
): Promise<void> {
  const now = context.now()
  if (next !== undefined) await unit.signingKeys.signSooner(next.kid, now)
  else await insertKey(context, unit, { ...spare, sequence: (rows.at(-1)?.sequence ?? 0) + 1, signs_from: now })
  for (const row of doomed) {
    const { kid, alg } = row
    if (!(await unit.signingKeys.revoke(kid, now))) continue
    await revokeKid(context, unit, row)
    await audit(unit, { type: 'key.revoked', time: now, ...client, data: { kid, alg } })
  }
}

async function standbyOf(context: Context, unit: Unit): Promise<SigningKeyRow | undefined> {
  const schedule = scheduleOf(await unit.signingKeys.lock(), context.now())
  return schedule.find(({ state }) => state === 'published')?.row
}

function infoOf({ row, state, until, retiresAt }: Scheduled): SigningKeyInfo {
  return {
    kid: row.kid,
    alg: row.alg,
    state,
    createdAt: new Date(row.created_at),
    signsFrom: new Date(row.signs_from),
    signsUntil: dateOf(until),
    retiresAt: dateOf(retiresAt),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
  }
}

function dateOf(time: number): Date | undefined {
  return Number.isFinite(time) ? new Date(time) : undefined
}
