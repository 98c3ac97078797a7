import { createHash } from 'node:crypto'
import type { EndedSession } from '../store/contract/sessions.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'
import type { Context, Unit } from './context.ts'

/**
 * An entry outlives the last token it refuses by so long: two minutes for clocks and guards that lag, and an hour for a clock that ran an hour ahead and
 * is set right. Without it a process that starts during that hour, or purges, would forget revocations that matter again afterwards.
 */
export const MARGIN_SECONDS = 3600 + 120

/** What a guard compares a token's `iss` and `sub` with; the feed shows it instead of the subject. It hides only a subject that nobody can guess. */
export function subjectKey(issuer: string, subject: string): string {
  return createHash('sha256').update(`${issuer}\0${subject}`).digest().subarray(0, 16).toString('base64url')
}

/** The access tokens of ended sessions die with this unit's commit. */
export async function revokeSessions(context: Context, unit: Unit, ended: readonly EndedSession[]): Promise<void> {
  // A restored store has forgotten the tokens issued since its copy was made; none of them lives longer than one issued now.
  const least = context.now() + context.config.accessTtl
  const entries = ended.map(({ id, access_expires_at }) => {
    const until = Math.ceil(Math.max(access_expires_at, least) / 1000) + MARGIN_SECONDS
    return { kind: 'sid', sid: id, until } as const
  })
  for (const entry of entries) unit.revoking.push(entry)
  await unit.revocations.append(...entries.map(({ kind, sid, until }) => ({ kind, key: sid, ver: null, until })))
}

/** The subject's access tokens of a lower version than `below`, but those of one session, die with this unit's commit. */
export async function revokeSubject(
  context: Context,
  unit: Unit,
  { subject, below, except, until }: { subject: string; below: number; except: string | undefined; until: number },
): Promise<void> {
  const key = subjectKey(context.config.issuer, subject)
  unit.revoking.push({ kind: 'sub', subject: key, below, ...(except !== undefined && { except }), until })
  await unit.revocations.append({ kind: 'sub', key, ver: below, until, except_sid: except ?? null })
}

/** Whatever this key has signed is stale with this unit's commit: who holds a session renews silently. */
export async function revokeKid(
  context: Context,
  unit: Unit,
  { kid, access_ttl }: Pick<SigningKeyRow, 'kid' | 'access_ttl'>,
): Promise<void> {
  const until = Math.ceil((context.now() + access_ttl) / 1000) + MARGIN_SECONDS
  unit.revoking.push({ kind: 'kid', kid, until })
  await unit.revocations.append({ kind: 'kid', key: kid, ver: null, until })
}

/**
 * The subject's access tokens of a lower `ver` are stale with this unit's commit.
 *
 * @param latest when the last of them expires, in milliseconds since 1970; null: none is known.
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
