import { AuthError } from '../errors.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'
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

/** All keys, oldest first. */
export async function listKeys(context: Context): Promise<SigningKeyInfo[]> {
  const rows = await context.store.committed.signingKeys.list()
  return scheduleOf(rows, context.now(), context.config).map(infoOf)
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
 * the feed; clients renew silently. Throws `not_found`, also for a key that is revoked or retired already.
 */
export async function revokeKey(
  context: Context,
  kid: string,
  { endSessions = false, all = false, dryRun = false }: RevokeKeyOptions = {},
  client?: Client,
): Promise<KeyRevocation> {
  const rows = await context.store.committed.signingKeys.list()
  const plan = planOf(scheduleOf(rows, context.now(), context.config), kid, { endSessions, all })
  const now = context.now()
  // Without an end, only who holds a living access token notices anything.
  const since = endSessions ? plan.since : Math.max(plan.since, now)
  const affected = await context.store.committed.sessions.countIssued({ since, now })
  if (!dryRun) {
    const spare = plan.next === undefined ? await prepareKey(context) : undefined
    await commit(context, (unit) => revokeAtOnce(context, unit, { ...plan, spare, client }))
    await reloadKeys(context)
    if (endSessions) await endIssuedSessions(context, plan.since, 'key_revoked')
    await tendKeys(context)
  }
  const { doomed, next } = plan
  return { revoked: doomed.map((row) => row.kid), signing: next?.kid, ...affected, endsSessions: endSessions }
}

interface Plan {
  readonly doomed: readonly SigningKeyRow[]
  /** Who signs afterwards; undefined when nobody is left. */
  readonly next: SigningKeyRow | undefined
  /** Sessions that were given access tokens since then are concerned. */
  readonly since: number
}

function planOf(
  schedule: readonly Scheduled[],
  kid: string,
  { endSessions, all }: { endSessions: boolean; all: boolean },
): Plan {
  const target = schedule.find(({ row }) => row.kid === kid)
  if (target === undefined) throw new AuthError('not_found', 'There is no such signing key')
  if (target.state === 'revoked' || target.state === 'retired') {
    throw new AuthError('not_found', `This signing key is ${target.state} already`)
  }
  const live = schedule.filter(({ state }) => state !== 'revoked' && state !== 'retired')
  // A session that ends takes all its access tokens with it, those of the key before included.
  const falls = ({ row, state }: Scheduled) => all || row.kid === kid || (endSessions && state === 'retiring')
  const doomed = live.filter(falls)
  const left = live.filter((one) => !falls(one))
  const next = left.find(({ state }) => state === 'signing') ?? left.find(({ state }) => state === 'published')
  // An access token that is alive now and expires later than the key's first moment may be the key's.
  const since = all ? 0 : target.row.signs_from
  return { doomed: doomed.map(({ row }) => row), next: next?.row, since }
}

async function revokeAtOnce(
  context: Context,
  unit: Unit,
  { doomed, next, spare, client }: Plan & { spare: PreparedKey | undefined; client: Client | undefined },
): Promise<void> {
  const now = context.now()
  if (next !== undefined) await unit.signingKeys.signSooner(next.kid, now)
  if (spare !== undefined) {
    const sequence = ((await unit.signingKeys.list()).at(-1)?.sequence ?? 0) + 1
    await insertKey(context, unit, { ...spare, sequence, signs_from: now })
  }
  for (const { kid, alg } of doomed) {
    if (!(await unit.signingKeys.revoke(kid, now))) continue
    await revokeKid(context, unit, kid)
    await audit(unit, { type: 'key.revoked', time: now, ...client, data: { kid, alg } })
  }
}

async function standbyOf(context: Context, unit: Unit): Promise<SigningKeyRow | undefined> {
  const schedule = scheduleOf(await unit.signingKeys.list(), context.now(), context.config)
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
