import { hintFor } from '@sealwax/guard/internal'
import { describeValue } from '@sealwax/jwt/internal'
import { type AuthOptions, type Config, invalidOption, type OptionRule } from './core/options.ts'
import { unknownOption } from './core/strict-options.ts'
import { AuthError } from './errors.ts'
import type { Feature } from './feature.ts'
import { features as allFeatures } from './features.ts'

const CALLER = 'createAuth'

const RULES = listRules(allFeatures)

/** The rules of all options, by name. */
export const OPTION_RULES: ReadonlyMap<string, OptionRule> = RULES

/** Names that other libraries use for an option, and what to write instead. */
const HINTS: Readonly<Record<string, string>> = {
  expiresIn: 'write accessTtl',
  accessTokenTtl: 'write accessTtl',
  trust: 'write issuers',
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {AuthError} `config_invalid` with a message that names the option
 */
export function configure(options: AuthOptions, features: readonly Feature[] = allFeatures): Config {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption('options', 'be an object with issuer, audience, secret and store', describeValue(options))
  }
  const rules = listRules(features)
  for (const [name, value] of Object.entries(options)) {
    if (!rules.has(name)) {
      throw new AuthError('config_invalid', unknownOption(CALLER, name, hintFor(name, HINTS, rules.keys())))
    }
    if (value === undefined) {
      throw new AuthError('config_invalid', `${CALLER}: ${name} must not be undefined; leave it out for its default`)
    }
  }
  const config: Record<string, unknown> = {}
  for (const [name, rule] of rules) {
    const value = givenOrDefault(name, rule, options)
    if (value === undefined && isOptional(rule)) continue
    if (value === undefined)
      throw new AuthError('config_invalid', `${CALLER}: ${name} must be given: write ${rule.example}`)
    const checked = rule.check(value, options)
    if (isKept(rule)) config[name] = checked
  }
  return Object.freeze(config) as unknown as Config
}

/**
 * Returns the message with which `createAuth` would refuse this option, without the name
 * `createAuth`; undefined if it accepts it.
 */
export function checkOption(name: string, value: unknown, given: AuthOptions): string | undefined {
  try {
    RULES.get(name)?.check(value, given)
    return undefined
  } catch (error) {
    return error instanceof AuthError ? error.detail.replace(`${CALLER}: `, '') : String(error)
  }
}

function listRules(features: readonly Feature[]): ReadonlyMap<string, OptionRule> {
  return new Map(features.flatMap(({ options }) => Object.entries(options ?? {})))
}

function givenOrDefault(name: string, { fallback }: OptionRule, options: AuthOptions): unknown {
  if (Object.hasOwn(options, name)) return options[name as keyof AuthOptions]
  return typeof fallback === 'function' ? fallback(options) : fallback
}

/** Whether an option may be left out and has no default. */
function isOptional({ fallback, example }: OptionRule): boolean {
  return fallback === undefined && example === undefined
}

/** Whether `Config` contains the option: functions, the store and the logger are in the context. */
function isKept({ parse, fallback }: OptionRule): boolean {
  return parse !== undefined || fallback !== undefined
}
