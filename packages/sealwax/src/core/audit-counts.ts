import type { AuditRepeats, AuditRow, CountedRow } from './audit-contract.ts'
import { type AuditEvent, eventRule } from './events.ts'
import { toSubnet } from './network.ts'

/**
 * Returns the key of the row that an event shares with others; undefined when it has its own row.
 */
export function findBucket(event: AuditEvent): string | undefined {
  const countedBy = eventRule(event.type)?.countedBy
  return countedBy && `${event.type} ${countedBy(event)} ${Math.floor(event.time / MINUTE)}`
}

const MINUTE = 60_000

/**
 * Returns the site of an event: IPv4 /24, IPv6 /48. With /64, one customer of IPv6 could fill
 * 65,536 rows. Events without an address share one site.
 */
export function siteOf({ ip }: AuditEvent): string {
  return toSubnet(ip)?.split(':').slice(0, 3).join(':') ?? 'unknown'
}

/** Returns the summary of a row with these further events. Its subject is the most frequent one. */
export function summarise(row: CountedRow, events: readonly AuditEvent[]): Pick<AuditRow, 'subject' | 'repeats'> {
  let { subjects, ips } = row.repeats ?? { subjects: tally({}, row.subject), ips: tally({}, row.ip) }
  let last: AuditRepeats['last'] = { time: 0 }
  for (const event of events) {
    subjects = tally(subjects, event.subject)
    ips = tally(ips, event.ip)
    last = { time: event.time, ip: event.ip, userAgent: event.userAgent }
  }
  return { subject: mostFrequent(subjects, row.subject), repeats: { last, subjects, ips } }
}

/** The size of a tally. */
const MOST_NAMES = 10

type Tally = Readonly<Record<string, number>>

/**
 * Counts a name. When the tally is full, a new name replaces the rarest one and inherits its count
 * (the Space-Saving algorithm), so a name that is in more than a tenth of the events is always
 * included.
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

/** Returns the most frequent name; in a tie, the current one. */
function mostFrequent(counts: Tally, current: string | null): string | null {
  const entries = Object.entries(counts)
  const [name, count] = entries.reduce((most, entry) => (entry[1] > most[1] ? entry : most), ['', 0] as const)
  const own = entries.find(([each]) => each === current)?.[1] ?? 0
  return count > own ? name : current
}
