import type { Context } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import type { Unit } from '../core/unit-of-work.ts'
import { MARGIN_SECONDS, revokeSubject } from '../revocations/rules.ts'

/**
 * Returns the version of a session that begins now: the time in seconds, or the version set when
 * all sessions of the subject last ended, if that is higher. Because of the time, a guard accepts
 * the session even if it has a revocation that the store lacks, because it was purged or an older
 * copy was restored.
 */
export async function currentVersion({ now }: Context, unit: Unit, subject: string): Promise<number> {
  const raised = await unit.subjectVersions.read(subject)
  return Math.max(raised ?? 0, seconds(now()))
}

/**
 * Ends all sessions of a subject, except one, and writes one revocation for all of them. The
 * credential version and the lock come first: a concurrent log-in then inserts nothing, or its
 * session is ended here, or begins with the raised version.
 *
 * @returns how many sessions have ended
 */
export async function endSubjectSessions(
  context: Context,
  unit: Unit,
  subject: string,
  { except, reason }: { except?: string | undefined; reason: string },
): Promise<number> {
  const now = context.now()
  const userVersion = await unit.subjects.raiseCredentialVersion(subject, now)
  const raised = await unit.subjectVersions.lock(subject)
  const excepted = await liveSession(unit, subject, except)
  const ended = await unit.sessions.endAll(subject, now, reason, excepted)
  // Higher than the version in any token of these sessions, which is of the session or of the user.
  const below = Math.max(1 + Math.max(raised ?? 0, userVersion ?? 0, ended.ver ?? 0), seconds(now))
  const latest = Math.max(ended.access_expires_at ?? 0, now + context.config.accessTtl)
  // The row is purged after the clock has passed the version, so that later sessions have a higher
  // one.
  const until = Math.max(Math.ceil(latest / 1000), below) + MARGIN_SECONDS
  await unit.subjectVersions.set(subject, below, until)
  if (ended.count > 0) await revokeSubject(context, unit, { subject, below, except: excepted, until })
  return ended.count
}

/** Returns the id if it is of a session of this subject that has not ended. */
async function liveSession(unit: Unit, subject: string, id: string | undefined): Promise<string | undefined> {
  const session = id === undefined ? undefined : await unit.sessions.byId(id)
  return session?.subject === subject && session.ended_at === null ? id : undefined
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

/**
 * Deletes the versions whose revocations have expired. While sessions of an older system are
 * exchanged, all are kept: those sessions may be older than any revocation.
 */
export async function purgeSubjectVersions(
  { store, now, config }: Pick<Context, 'store' | 'now'> & { readonly config: Pick<Context['config'], 'exchange'> },
  signal: AbortSignal,
): Promise<void> {
  if (config.exchange !== null && now() < config.exchange.until) return
  await purgeInPages(signal, (limit) =>
    store.transaction((facts) => facts.subjectVersions.purge(seconds(now()), limit)),
  )
}
