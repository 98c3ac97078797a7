import type { Context, Unit } from './context.ts'
import { MARGIN_SECONDS, revokeSubject } from './revocations.ts'

/**
 * The version of a session that begins now: the time in seconds, or the version that was raised when all sessions of the subject last ended, if that
 * is higher. The time lets the session in at guards that still hold a revocation of which the store has no row: it was purged, or the store was
 * restored from an older copy.
 */
export async function currentVersion({ now }: Context, unit: Unit, subject: string): Promise<number> {
  const raised = await unit.subjectVersions.read(subject)
  return Math.max(raised ?? 0, seconds(now()))
}

/**
 * Ends all sessions of a subject, except one, and writes one revocation for them, however many there are. Returns how many.
 * The credential version and the lock come first: a log-in under way then inserts nothing, or its session is ended here, or begins with the raised version.
 */
export async function endSessionsOf(
  context: Context,
  unit: Unit,
  subject: string,
  { except, reason }: { except?: string | undefined; reason: string },
): Promise<number> {
  const now = context.now()
  const userVersion = await unit.users.raiseCredentialVersion(subject, now)
  const raised = await unit.subjectVersions.lock(subject)
  const excepted = await liveSession(unit, subject, except)
  const ended = await unit.sessions.endAll(subject, now, reason, excepted)
  // Higher than the version of any token of these sessions: that of the session or of the user.
  const below = Math.max(1 + Math.max(raised ?? 0, userVersion ?? 0, ended.ver ?? 0), seconds(now))
  const latest = Math.max(ended.access_expires_at ?? 0, now + context.config.accessTtl)
  // The row is purged only when the time has passed the version, so that sessions which begin without it are above it.
  const until = Math.max(Math.ceil(latest / 1000), below) + MARGIN_SECONDS
  await unit.subjectVersions.set(subject, below, until)
  if (ended.count > 0) await revokeSubject(context, unit, { subject, below, except: excepted, until })
  return ended.count
}

/** Only a session of this subject that has not ended can be excepted. */
async function liveSession(unit: Unit, subject: string, id: string | undefined): Promise<string | undefined> {
  const session = id === undefined ? undefined : await unit.sessions.byId(id)
  return session?.subject === subject && session.ended_at === null ? id : undefined
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
