import { JwtError } from './errors.ts'

/**
 * A length of time: a whole number of seconds, or a whole number with a unit: `'30s'`, `'15m'`, `'12h'`, `'14d'`,
 * `'2w'`.
 */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
])

/** A hundred years; longer is a mistake of unit. */
const longest = 3_155_760_000

/**
 * The seconds in a duration. Takes any string, so that text from a configuration can be given as it is.
 *
 * A bare number in a string (`'900'`), a fraction, a sign, white space and other units are refused: whoever meant
 * milliseconds must not get seconds.
 *
 * @throws {JwtError} `ERR_JWT_OPTION` when it is not a duration between 0 and 100 years.
 */
export function toSeconds(duration: Duration | string): number {
  const seconds = typeof duration === 'string' ? parse(duration) : duration
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > longest) {
    throw new JwtError(
      'ERR_JWT_OPTION',
      "a duration is a whole number of seconds or a text such as '30s', '15m', '12h', '14d'",
    )
  }
  return seconds
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
