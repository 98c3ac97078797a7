import type { AuditRepeats, AuditRow, CountedRow } from '../store/contract/audit.ts'
import type { AuditEvent, AuditEventType } from './context.ts'
import { networkOf } from './network.ts'

/**
 * Events that a stranger, or whoever holds one token or one secret, can cause as often as requests can be sent, and what each is counted by. They get
 * one row for each key and minute.
 */
const COUNTED: Readonly<Partial<Record<AuditEventType, (event: AuditEvent) => string>>> = {
  'user.login_failed': siteOf,
  // Each reason has rows of its own, so that made-up ids do not hide a wrong secret.
  'client.authentication_failed': (event) => `${event.data?.reason} ${siteOf(event)}`,
  'client.token_revoked': ({ subject }) => String(subject),
  'session.replayed': ({ sessionId }) => String(sessionId),
  'session.forked': ({ sessionId }) => String(sessionId),
}

/** What the row of a counted event is found by; undefined for an event that has a row of its own. */
export function bucketOf(event: AuditEvent): string | undefined {
  const key = COUNTED[event.type]
  return key && `${event.type} ${key(event)} ${Math.floor(event.time / MINUTE)}`
}

const MINUTE = 60_000

/** IPv4 /24, IPv6 /48: many customers own 65,536 networks of IPv6, and would get as many rows. Without an address all is one site. */
function siteOf({ ip }: AuditEvent): string {
  return networkOf(ip)?.split(':').slice(0, 3).join(':') ?? 'unknown'
}

/** What a row tells after these further events. Its subject is the one that most of them concern. */
export function summaryOf(row: CountedRow, events: readonly AuditEvent[]): Pick<AuditRow, 'subject' | 'repeats'> {
  let { subjects, ips } = row.repeats ?? { subjects: tally({}, row.subject), ips: tally({}, row.ip) }
  let last: AuditRepeats['last'] = { time: 0 }
  for (const event of events) {
    subjects = tally(subjects, event.subject)
    ips = tally(ips, event.ip)
    last = { time: event.time, ip: event.ip, userAgent: event.userAgent }
  }
  return { subject: mostFrequent(subjects, row.subject), repeats: { last, subjects, ips } }
}

/** How many names a tally holds. */
const MOST_NAMES = 10

type Tally = Readonly<Record<string, number>>

/**
 * Counts one name more. A name that finds the tally full takes the place, and the count, of the rarest one: so whatever stands in more than a tenth of
 * the events is always named, whichever names came first.
 */
function tally(counts: Tally, name: string | null | undefined): Tally {
  if (name === null || name === undefined) return counts
  const entries = new Map(Object.entries(counts))
  let before = entries.get(name) ?? 0
  if (before === 0 && entries.size >= MOST_NAMES) {
    const [rarest, count] = [...entries].reduce((least, entry) => (entry[1] < least[1] ? entry : least))
    entries.delete(rarest)
    before = count
  }
  return Object.fromEntries(entries.set(name, before + 1))
}

/** The one there is stays, until another is ahead of it. */
function mostFrequent(counts: Tally, current: string | null): string | null {
  const entries = Object.entries(counts)
  const [name, count] = entries.reduce((most, entry) => (entry[1] > most[1] ? entry : most), ['', 0] as const)
  const own = entries.find(([each]) => each === current)?.[1] ?? 0
  return count > own ? name : current
}
