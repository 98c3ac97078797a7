import { spellDuration } from '@sealwax/jwt/internal'

/** Seconds from which on a date is certainly in milliseconds: the year 5138. */
const IMPLAUSIBLE = 1e11

/** Whether a date of a claim is in milliseconds instead of seconds. */
export function isInMilliseconds(value: unknown): value is number {
  return typeof value === 'number' && value >= IMPLAUSIBLE
}

/** A date in words. */
export interface ShownDate {
  /** `37 seconds ago`, `in 14 minutes`. */
  readonly relative: string
  /** In the time zone of the reader. */
  readonly local: string
  /** In UTC, as in RFC 3339. */
  readonly utc: string
}

/** Returns a date of a claim in words; undefined for a value that is no date. */
export function showDate(value: unknown, now: number): ShownDate | undefined {
  if (typeof value !== 'number') return undefined
  const date = new Date(isInMilliseconds(value) ? value : value * 1000)
  if (Number.isNaN(date.getTime())) return undefined
  const distance = date.getTime() / 1000 - now
  const span = spellDuration(Math.abs(distance))
  return {
    relative: Math.abs(distance) < 1 ? 'now' : distance > 0 ? `in ${span}` : `${span} ago`,
    local: new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' }).format(date),
    utc: date.toISOString().replace('.000Z', 'Z'),
  }
}

/** Spells how long a token lives: `15 minutes`. */
export function showDuration(seconds: number): string {
  return spellDuration(seconds)
}
