import { JwtError } from './errors.ts'

/** A wrong call. */
export function refuseOption(message: string): JwtError {
  return new JwtError('ERR_JWT_OPTION', message)
}

/**
 * Refuses options that are not an object, have an unknown name, or are spelled out as `undefined`: a misspelt name or
 * an unset variable must not switch a check off.
 *
 * @throws {JwtError} `ERR_JWT_OPTION`.
 */
export function checkOptions(options: unknown, known: ReadonlySet<string>, caller: string): void {
  if (typeof options !== 'object' || options === null) {
    throw refuseOption(
      `${caller}: the options must be an object: { ${[...known].slice(0, 3).join(', ')}${known.size > 3 ? ', …' : ''} }`,
    )
  }
  for (const name in options) {
    if (!known.has(name)) throw refuseOption(`${caller}: unknown option ${name}`)
    if ((options as Record<string, unknown>)[name] === undefined) throw refuseOption(`${caller}: ${name} is undefined`)
  }
}

/** Whether a value is an object literal or a parsed JSON object, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  // The last condition is for objects of another realm (a vm context, a test runner).
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether an option is one non-empty text, or a non-empty list of such. */
export function isTextOrTexts(value: unknown): value is string | readonly string[] {
  if (typeof value === 'string') return value !== ''
  if (!Array.isArray(value) || value.length === 0) return false
  for (const text of value) if (typeof text !== 'string' || text === '') return false
  return true
}

/** The instant to work with, in seconds since 1970 with fractions. */
export function secondsOf(currentDate: Date | undefined, caller: string): number {
  if (currentDate === undefined) return Date.now() / 1000
  const milliseconds =
    Object.prototype.toString.call(currentDate) === '[object Date]' ? currentDate.getTime() : Number.NaN
  if (Number.isNaN(milliseconds)) throw refuseOption(`${caller}: currentDate is not a valid Date`)
  return milliseconds / 1000
}
