import { JwtError } from './errors.ts'
import { refuseOption } from './options.ts'

/**
 * A length of time: a whole number of seconds, or a whole number with a unit: `'30s'`, `'15m'`,
 * `'12h'`, `'14d'`, `'2w'`.
 */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
])

/** 100 years. A longer duration is probably in the wrong unit. */
const longest = 3_155_760_000

/**
 * Converts a duration to seconds. Accepts any string, so that a configuration value can be passed
 * unchanged.
 *
 * A number in a string without a unit (`'900'`), a fraction, a sign, white space and other units
 * are refused, since the unit must not be guessed.
 *
 * @param duration The duration.
 * @returns The number of seconds.
 * @throws {JwtError} `ERR_JWT_OPTION` if it is not a duration from 0 to 100 years
 */
export function toSeconds(duration: Duration | string): number {
  return readSeconds('toSeconds', 'duration', duration)
}

/**
 * Reads an option that is a duration.
 *
 * @param caller The name of the public function.
 * @param least The minimum in seconds.
 * @param most The maximum in seconds.
 * @throws {JwtError} `ERR_JWT_OPTION`; the message names the option and what was given
 */
export function readSeconds(caller: string, option: string, duration: unknown, least = 0, most = longest): number {
  const seconds = typeof duration === 'string' ? parse(duration) : duration
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > longest) {
    throw refuseDuration(caller, option, "must be a number of seconds or a duration such as '15m'", duration)
  }
  if (seconds < least || seconds > most) throw refuseDuration(caller, option, bounds(least, most), duration)
  return seconds
}

function bounds(least: number, most: number): string {
  if (most === longest) return `must be at least ${least} second${least === 1 ? '' : 's'}`
  return least === 0 ? `must be at most ${most} seconds` : `must be from ${least} to ${most} seconds`
}

/**
 * Shows a string only if it looks like a duration, such as '1 hour': other strings may be secrets.
 */
function refuseDuration(caller: string, option: string, allowed: string, duration: unknown): JwtError {
  if (typeof duration !== 'string' || !/^[-+ ]?\d[\w .]{0,15}$/.test(duration)) {
    return refuseOption(caller, option, allowed, duration)
  }
  return new JwtError('ERR_JWT_OPTION', `${caller}: ${option} ${allowed} (got '${duration}')`)
}

function parse(text: string): number {
  const unit = unitSeconds.get(text.charAt(text.length - 1))
  const digits = text.length - 1
  if (unit === undefined || digits < 1 || digits > 10) return Number.NaN
  let count = 0
  for (let i = 0; i < digits; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    count = count * 10 + digit
  }
  return count * unit
}
