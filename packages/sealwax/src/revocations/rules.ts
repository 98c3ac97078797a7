import { subjectKey } from '@sealwax/guard'
import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'

/**
 * How long an entry is kept after the last token that it refuses has expired: two minutes for
 * clocks and guards that lag, and an hour for a clock that ran ahead and is corrected. Otherwise a
 * process that starts or purges during that hour would drop revocations that are needed again
 * afterwards.
 */
export const MARGIN_SECONDS = 3600 + 120

/** Revokes the access tokens of ended sessions when the unit is committed. */
export async function revokeSessions(
  context: Context,
  unit: Unit,
  ended: readonly { readonly id: string; readonly access_expires_at: number }[],
): Promise<void> {
  // A restored database lacks the tokens issued since its backup. None of them is valid for longer
  // than a new one.
  const least = context.now() + context.config.accessTtl
  const entries = ended.map(({ id, access_expires_at }) => {
    const until = Math.ceil(Math.max(access_expires_at, least) / 1000) + MARGIN_SECONDS
    return { kind: 'sid', sid: id, until } as const
  })
  for (const entry of entries) unit.revoking.push(entry)
  await unit.revocations.append(...entries.map(({ kind, sid, until }) => ({ kind, key: sid, ver: null, until })))
}

/**
 * Revokes the access tokens of a subject with a version below `below`, except those of one session.
 */
export async function revokeSubject(
  context: Context,
  unit: Unit,
  { subject, below, except, until }: { subject: string; below: number; except: string | undefined; until: number },
): Promise<void> {
  const key = subjectKey(context.config.issuer, subject)
  unit.revoking.push({ kind: 'sub', subject: key, below, ...(except !== undefined && { except }), until })
  await unit.revocations.append({ kind: 'sub', key, ver: below, until, except_sid: except ?? null })
}

/** Makes all access tokens signed by a key stale: clients with a session renew them silently. */
export async function revokeKid(
  context: Context,
  unit: Unit,
  { kid, access_ttl }: { readonly kid: string; readonly access_ttl: number },
): Promise<void> {
  const until = Math.ceil((context.now() + access_ttl) / 1000) + MARGIN_SECONDS
  unit.revoking.push({ kind: 'kid', kid, until })
  await unit.revocations.append({ kind: 'kid', key: kid, ver: null, until })
}

/**
 * Makes the access tokens of a subject with a lower `ver` stale.
 *
 * @param latest when the last of them expires, in milliseconds since 1970; null if none is known
 */
export async function revokeVersion(
  context: Context,
  unit: Unit,
  { subject, ver, latest }: { subject: string; ver: number; latest: number | null },
): Promise<void> {
  const until = Math.ceil(Math.max(latest ?? 0, context.now() + context.config.accessTtl) / 1000) + MARGIN_SECONDS
  const key = subjectKey(context.config.issuer, subject)
  unit.revoking.push({ kind: 'ver', subject: key, ver, until })
  await unit.revocations.append({ kind: 'ver', key, ver, until })
}

/** No access token is valid for longer: `accessTtl` is at most 24 hours. */
const LONGEST_ACCESS_TTL = 86_400_000

/**
 * Revokes one access token. It need not be of a session of this store: a restored database lacks
 * the latest ones.
 *
 * @throws {AuthError} `validation_failed`
 */
export async function revokeToken(context: Context, jti: string): Promise<void> {
  if (!/^[\x21-\x7e]{1,256}$/.test(jti)) {
    throw new AuthError('validation_failed', 'tokens.revoke: jti must be 1 to 256 visible ASCII characters')
  }
  const now = context.now()
  const until = Math.ceil((now + LONGEST_ACCESS_TTL) / 1000) + MARGIN_SECONDS
  await commit(context, async (unit) => {
    unit.revoking.push({ kind: 'jti', jti, until })
    await unit.revocations.append({ kind: 'jti', key: jti, ver: null, until })
    await audit(unit, { type: 'token.revoked', time: now, data: { jti } })
  })
}

/** Deletes the revocations whose tokens have all expired. */
export async function purgeRevocations(
  { store, now }: Pick<Context, 'store' | 'now'>,
  signal: AbortSignal,
): Promise<void> {
  const seconds = Math.floor(now() / 1000)
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.revocations.purge(seconds, limit)))
}
