import type { JwtPayload } from '@sealwax/jwt'
import { createLiveEntries } from './live-entries.ts'

/** Subjects of whom all sessions, or all but one, have ended. */
export interface EndedSubjects {
  /**
   * Whether a current entry of the subject refuses the token.
   * @param now milliseconds since 1970; called only if the subject has an entry
   */
  refuses(subject: string, token: JwtPayload, now: () => number): boolean
  /** Adds an entry. A token is refused if one of the subject's entries refuses it, in any order. */
  add(entry: EndedSubject, now: number): void
  /** Number of subjects with a current entry. */
  count(now: number): number
}

/** See the kind `sub` of a `Revocation`. */
interface EndedSubject {
  readonly subject: string
  readonly below: number
  readonly except?: string
  readonly until: number
}

/**
 * The session that the entry with the highest `below` excepts. Entries that do not except it refuse
 * its tokens with a `ver` lower than `least`.
 */
interface Exception {
  readonly sid: string
  readonly least: number
}

const SMALLEST = 256

/**
 * Creates an empty store. Exceptions are rare, so they are in a Map and not in the compact table.
 */
export function createEndedSubjects(): EndedSubjects {
  const entries = createLiveEntries(true)
  const exceptions = new Map<string, Exception>()
  let sweepAt = SMALLEST

  function except(subject: string, exception: Exception | undefined, now: number): void {
    if (exception === undefined) exceptions.delete(subject)
    else exceptions.set(subject, exception)
    if (exceptions.size < sweepAt) return
    for (const name of exceptions.keys()) {
      if (entries.versionOf(name, () => now) === undefined) exceptions.delete(name)
    }
    sweepAt = Math.max(SMALLEST, 2 * exceptions.size)
  }

  return {
    refuses(subject, { ver, sid }, now) {
      const below = entries.versionOf(subject, now)
      if (below === undefined) return false
      const own = typeof ver === 'number' ? ver : Number.NEGATIVE_INFINITY
      const exception = exceptions.size === 0 ? undefined : exceptions.get(subject)
      return !(own >= (exception !== undefined && exception.sid === sid ? exception.least : below))
    },
    add({ subject, below, except: sid, until }, now) {
      const before = entries.versionOf(subject, () => now)
      const known = before === undefined ? undefined : exceptions.get(subject)
      entries.add(subject, until, below, now)
      const added = sid === undefined ? undefined : { sid, least: before ?? Number.NEGATIVE_INFINITY }
      if (before === undefined) except(subject, added, now)
      // Neither entry refuses the session that both except.
      else if (known?.sid === sid) return
      else if (below > before) except(subject, added, now)
      else if (below === before) except(subject, undefined, now)
      else if (known !== undefined) except(subject, { ...known, least: Math.max(known.least, below) }, now)
    },
    count: (now) => entries.count(now),
  }
}
