import type { Context, Unit } from './context.ts'
import { MARGIN_SECONDS, revokeSubject } from './revocations.ts'

/**
 * The version that a session of this subject carries when it begins now: not lower than the one that was raised when the subject's sessions last
 * ended. It is the time otherwise, so that a log-in is let in, too, where a revocation is known that the store has forgotten: it was purged, or the
 * store was restored from an older copy.
 */
export async function currentVersion({ now }: Context, unit: Unit, subject: string): Promise<number> {
  const raised = await unit.subjectVersions.read(subject)
  return Math.max(raised ?? 0, seconds(now()))
}

/**
 * Ends all sessions of a subject, except one if it is live, and writes one revocation for them however many they are. Answers how many.
 * What no log-in under way may miss is raised first: it then inserts nothing, or its session is found below, or carries the raised version.
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
  // Above every version a token of these sessions can have: their own, or the user's.
  const below = Math.max(1 + Math.max(raised ?? 0, userVersion ?? 0, ended.ver ?? 0), seconds(now))
  const latest = Math.max(ended.access_expires_at ?? 0, now + context.config.accessTtl)
  // Once the row is gone the time has to be higher than the version.
  const until = Math.max(Math.ceil(latest / 1000), below) + MARGIN_SECONDS
  await unit.subjectVersions.set(subject, below, until)
  if (ended.count > 0) await revokeSubject(context, unit, { subject, below, except: excepted, until })
  return ended.count
}

/** A session that has ended is excepted from nothing. */
async function liveSession(unit: Unit, subject: string, id: string | undefined): Promise<string | undefined> {
  const session = id === undefined ? undefined : await unit.sessions.byId(id)
  return session?.subject === subject && session.ended_at === null ? id : undefined
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
