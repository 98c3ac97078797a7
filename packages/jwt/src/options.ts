import { JwtError } from './errors.ts'

/**
 * The error for a wrong option: `verify: issuer must be … (got …)`.
 *
 * @param caller The name of the public function.
 * @param allowed What the option must be, such as `must be a string`.
 * @param value What was given. Only its type is in the message, or the value of a number.
 */
export function refuseOption(caller: string, option: string, allowed: string, value: unknown): JwtError {
  return new JwtError('ERR_JWT_OPTION', `${caller}: ${option} ${allowed} (got ${describeValue(value)})`)
}

/**
 * Describes a value for a message: numbers and booleans as they are, otherwise the type, since a
 * string may be a secret.
 */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (value instanceof Promise) return 'a promise'
  if (isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value)
    case 'string':
      return value === '' ? 'an empty string' : 'a string'
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}

/**
 * Refuses options that are not an object, have an unknown name, or are `undefined`: a typo or an
 * unset variable must not turn a check off.
 *
 * @throws {JwtError} `ERR_JWT_OPTION`
 */
export function checkOptions(options: unknown, known: ReadonlySet<string>, caller: string): void {
  if (typeof options !== 'object' || options === null) {
    const names = `{ ${[...known].slice(0, 3).join(', ')}${known.size > 3 ? ', …' : ''} }`
    throw refuseOption(caller, 'options', `must be an object ${names}`, options)
  }
  for (const name in options) {
    if (!known.has(name)) throw new JwtError('ERR_JWT_OPTION', `${caller}: unknown option "${name}"`)
    if ((options as Record<string, unknown>)[name] === undefined) {
      throw new JwtError('ERR_JWT_OPTION', `${caller}: ${name} must not be undefined`)
    }
  }
}

/** Whether a value is an object literal or a parsed JSON object, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  // The last condition is for objects of another realm (a vm context, a test runner).
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether an option is a non-empty string, or a non-empty list of such strings. */
export function isStringOrStrings(value: unknown): value is string | readonly string[] {
  if (typeof value === 'string') return value !== ''
  if (!Array.isArray(value) || value.length === 0) return false
  for (const text of value) if (typeof text !== 'string' || text === '') return false
  return true
}

/** The option `currentDate`, or the current time, in seconds since 1970 with fractions. */
export function readCurrentSeconds(currentDate: Date | undefined, caller: string): number {
  if (currentDate === undefined) return Date.now() / 1000
  const milliseconds = isDate(currentDate) ? currentDate.getTime() : Number.NaN
  if (Number.isNaN(milliseconds)) throw refuseOption(caller, 'currentDate', 'must be a valid Date', currentDate)
  return milliseconds / 1000
}

/** Not `instanceof`, so that a Date of another realm is accepted, too. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]'
}
