import { type Duration, toSeconds } from '@sealwax/jwt'
import { describeValue } from '@sealwax/jwt/internal'
import { hintFor } from './option-hint.ts'

/**
 * Returns what an option must be, or `undefined` if it accepts the value. It never accepts
 * `undefined`.
 */
export type Rule = (value: unknown) => string | undefined

/** The members that an options object may have. */
export interface OptionRules<Options extends object = Record<string, unknown>> {
  /** A valid object, for the message about a value that is not an object. */
  readonly example: string
  /** The rule of each member. */
  readonly rules: Readonly<Record<keyof Options & string, Rule>>
  /** The members without a default. */
  readonly required?: readonly (keyof Options & string)[]
  /** Wrong names that are likely, and what to write instead. */
  readonly hints?: Readonly<Record<string, string>>
}

/**
 * Checks an options object: a misspelled name or an unset variable must not turn a check off.
 * @param caller the function that was called, for messages
 * @param name the option whose value is the object; absent for the options themselves
 * @throws {TypeError} for a member that is unknown, missing, `undefined` or not accepted
 */
export function checkOptions<Options extends object>(
  caller: string,
  options: Options,
  { example, rules, required = [], hints = {} }: OptionRules<Options>,
  name?: string,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongOption(caller, name ?? 'options', `an object such as ${example}`, options)
  }
  const prefix = name === undefined ? '' : `${name}.`
  for (const [member, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, member)) {
      throw unknownOption(caller, `${prefix}${member}`, hintFor(member, hints, Object.keys(rules)))
    }
    if (value === undefined && required.includes(member as keyof Options & string)) continue
    const allowed = rules[member as keyof Options & string](value)
    if (allowed !== undefined) throw wrongOption(caller, `${prefix}${member}`, allowed, value)
  }
  for (const member of required) {
    if (options[member] !== undefined) continue
    throw new TypeError(`${caller}: ${prefix}${member} must be given: ${rules[member](undefined)}`)
  }
}

/** The error for an option with a value that is not accepted. */
export function wrongOption(caller: string, name: string, allowed: string, value: unknown): TypeError {
  const hint = value === undefined && name !== 'options' ? '; leave it out to get its default' : ''
  // Other strings may be secrets.
  const got = typeof value === 'string' && isDuration(value) ? `'${value}'` : describeValue(value)
  return new TypeError(`${caller}: ${name} must be ${allowed} (got ${got}${hint})`)
}

/** The error for an option that does not exist. */
export function unknownOption(caller: string, name: string, hint?: string): TypeError {
  // The name may come from input and be of any length.
  return new TypeError(`${caller}: there is no option "${name.slice(0, 64)}"${hint === undefined ? '' : `; ${hint}`}`)
}

/** Creates a rule from a description and the test for it. */
export function mustBe(allowed: string, accepts: (value: unknown) => boolean): Rule {
  return (value) => (accepts(value) ? undefined : allowed)
}

/** A rule for functions. */
export function mustBeFunction(allowed = 'a function'): Rule {
  return mustBe(allowed, (value) => typeof value === 'function')
}

/** A rule for booleans. */
export function mustBeBoolean(): Rule {
  return mustBe('true or false', (value) => typeof value === 'boolean')
}

/** A rule for one of several strings. */
export function mustBeOneOf(...values: readonly string[]): Rule {
  return mustBe(
    values.map((value) => `'${value}'`).join(' or '),
    (value) => typeof value === 'string' && values.includes(value),
  )
}

/** A rule for whole numbers. */
export function mustBeWholeNumber(least: number, most: number): Rule {
  const accepts = (value: unknown) => Number.isSafeInteger(value) && isWithin(value as number, least, most)
  return mustBe(`a whole number from ${least} to ${withCommas(most)}`, accepts)
}

/** Without `Intl`, which takes 30 ms to load. */
function withCommas(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/**
 * A rule for durations.
 * @param range in words, such as `at most 60 seconds`
 */
export function mustBeDuration(range: string, least: number, most = Number.POSITIVE_INFINITY): Rule {
  return (value) => {
    if (!isDuration(value)) return "a whole number of seconds or a string such as '30s', '15m' or '12h'"
    return isWithin(toSeconds(value), least, most) ? undefined : range
  }
}

/** Whether a value is a non-empty list of strings that all pass a test. */
export function isListOf(value: unknown, accepts: (member: string) => boolean = isNonEmpty): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && accepts(item))
}

/** Whether a value is a string that is not empty. */
export function isNonEmpty(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isDuration(value: unknown): value is Duration {
  if (typeof value !== 'string' && typeof value !== 'number') return false
  try {
    toSeconds(value)
    return true
  } catch {
    return false
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}
