import type { TrustedIssuer } from '@sealwax/guard'
import { type Algorithm, type Duration, toSeconds } from '@sealwax/jwt'
import { AuthError } from './errors.ts'
import { canonicalUrl, originOf } from './http/origins.ts'
import type { AuthOptions, Config, ForwardedHeader } from './options.ts'
import { weaknessOf } from './secret-strength.ts'
import type { Store } from './store/contract/store.ts'

const ALGORITHMS: readonly string[] = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512'],
  ...['PS256', 'PS384', 'PS512', 'HS256', 'HS384', 'HS512'],
]

/** With a prefix, so that no application has it among its own roles. */
export const DEFAULT_ADMIN_ROLE = 'sealwax:admin'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Checks each option; the record's keys are all the options there are. */
const CHECKS: { readonly [K in keyof Required<AuthOptions>]: (value: never) => unknown } = {
  issuer: checkIssuer,
  audience: (value: unknown) => checkList('audience', value),
  secret: checkSecrets,
  store: checkStore,
  alg: (value: unknown) => checkOneOf('alg', value, ALGORITHMS),
  accessTtl: (value: Duration) => checkDuration('accessTtl', value, { least: 1000, most: DAY }),
  keyPeriod: (value: Duration) => checkDuration('keyPeriod', value, { least: 5 * MINUTE }),
  refreshIdle: (value: Duration) => checkDuration('refreshIdle', value, { least: 1000 }),
  refreshAbsolute: (value: Duration) => checkDuration('refreshAbsolute', value, { least: 1000 }),
  refreshGrace: (value: Duration) => checkDuration('refreshGrace', value, { least: 0, most: 5 * MINUTE }),
  refreshRecovery: (value: Duration) => checkDuration('refreshRecovery', value, { least: 0, most: 30 * DAY }),
  auditRetention: (value: Duration) => checkDuration('auditRetention', value, { least: DAY }),
  issuers: (value: unknown) => checkArray('issuers', value),
  maxSessions: checkMaxSessions,
  basePath: checkBasePath,
  allowedOrigins: checkOrigins,
  cookieName: checkCookieName,
  trustProxy: checkTrustProxy,
  forwardedHeader: (value: unknown) => checkOneOf('forwardedHeader', value, ['x-forwarded-for', 'forwarded']),
  registration: (value: unknown) => checkOneOf('registration', value, ['open', 'closed']),
  adminRole: checkAdminRole,
  revocationFeed: (value: unknown) => checkOneOf('revocationFeed', value, ['public', 'clients']),
  migrate: (value: unknown) => checkOneOf('migrate', value, ['auto', 'off']),
  loadSubject: (value: unknown) => checkFunction('loadSubject', value),
  onEvent: (value: unknown) => checkFunction('onEvent', value),
  logger: checkLogger,
  now: (value: unknown) => checkFunction('now', value),
}

/** What to write for an option that is missing. */
const EXAMPLES: Readonly<Record<string, string>> = {
  issuer: "issuer: 'https://auth.example.com'",
  audience: "audience: 'https://api.example.com'",
  secret: 'secret and at least 32 random characters; make them with: openssl rand -base64 48',
  store: "store: sqliteStore('./sealwax.db')",
}

/** Names that other libraries have for an option, and ours. */
const RENAMED: Readonly<Record<string, string>> = { expiresIn: ': write accessTtl', trust: ': write issuers' }

/** The names of all options. */
export const OPTION_NAMES: readonly string[] = Object.keys(CHECKS)

/** Checks the options and fills in the defaults. Throws `config_invalid` with a sentence that names the option. */
export function configure(options: AuthOptions): Config {
  if (typeof options !== 'object' || options === null)
    throw invalid('createAuth needs an options object with issuer, audience, secret and store')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name)) throw invalid(`There is no option "${name}"${RENAMED[name] ?? ''}`)
    if (value === undefined) throw invalid(`The option ${name} is undefined; leave it out or give it a value`)
  }
  const checked = <T>(name: keyof AuthOptions, fallback?: unknown): T => {
    const value = Object.hasOwn(options, name) ? options[name] : fallback
    if (value === undefined) throw invalid(`The option ${name} is missing: write ${EXAMPLES[name]}`)
    return CHECKS[name](value as never) as T
  }
  for (const name of ['loadSubject', 'onEvent', 'logger', 'now'] as const) {
    if (Object.hasOwn(options, name)) checked(name)
  }
  checked('store')
  return Object.freeze({
    issuer: checked<string>('issuer'),
    audience: checked<string[]>('audience'),
    secrets: checked<string[]>('secret'),
    alg: checked<Algorithm>('alg', 'ES256'),
    accessTtl: checked<number>('accessTtl', '15m'),
    keyPeriod: checkPeriod(checked<number>('keyPeriod', '30d'), checked<number>('accessTtl', '15m')),
    refreshIdle: checked<number>('refreshIdle', '14d'),
    refreshAbsolute: checked<number>('refreshAbsolute', '90d'),
    refreshGrace: checked<number>('refreshGrace', '30s'),
    refreshRecovery: checked<number>('refreshRecovery', '24h'),
    auditRetention: checked<number>('auditRetention', '400d'),
    issuers: checked<TrustedIssuer[]>('issuers', []),
    maxSessions: checked<number>('maxSessions', 100),
    basePath: checked<string>('basePath', ''),
    allowedOrigins: checked<string[]>('allowedOrigins', []),
    cookieName: checked<string>('cookieName', 'sealwax'),
    trustProxy: checked<number | string[]>('trustProxy', 0),
    forwardedHeader: checked<ForwardedHeader>('forwardedHeader', 'x-forwarded-for'),
    // Whoever brings users of their own does not expect strangers to sign up.
    registration: checked<'open' | 'closed'>('registration', Object.hasOwn(options, 'loadSubject') ? 'closed' : 'open'),
    adminRole: checked<string>('adminRole', DEFAULT_ADMIN_ROLE),
    revocationFeed: checked<'public' | 'clients'>('revocationFeed', 'public'),
    migrate: checked<'auto' | 'off'>('migrate', 'auto'),
  })
}

/** The sentence `createAuth` would refuse this one option with, or undefined. */
export function checkOption(name: keyof AuthOptions, value: unknown): string | undefined {
  try {
    CHECKS[name](value as never)
    return undefined
  } catch (error) {
    return error instanceof AuthError ? error.detail : String(error)
  }
}

function checkSecrets(value: unknown): readonly string[] {
  if (value === '')
    throw invalid('secret is empty: is the environment variable set? Make one with: openssl rand -base64 48')
  const secrets = checkList('secret', value)
  for (const [i, secret] of secrets.entries()) {
    const reason = weaknessOf(secret, { wraps: i === 0 })
    if (reason !== undefined) {
      throw invalid(`The secret ${reason}; make one with: openssl rand -base64 48`)
    }
  }
  return secrets
}

function checkIssuer(value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value))
    throw invalid('issuer must be a URL such as https://auth.example.com')
  const url = new URL(value)
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw invalid('issuer must be a URL without query, fragment or user')
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    const secure = value.replace(/^[^:]*:/, 'https:')
    throw invalid(`issuer must be https (http is for loopback only): write ${secure} instead of ${value}`)
  }
  // Tokens repeat it byte for byte, so a second spelling would be a second issuer, and half of those who read it would read something else.
  const canonical = canonicalUrl(url)
  const bare = canonical.replace(/(?<=\/\/[^/]+)\/$/, '')
  if (value !== canonical && value !== bare) {
    throw invalid(`issuer must be written in its canonical form: ${value.endsWith('/') ? canonical : bare}`)
  }
  return value
}

/** Whether a host name of a URL means this machine. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function checkList(name: string, value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? [...value] : [value]
  if (list.length === 0 || list.some((item) => typeof item !== 'string' || item.length === 0)) {
    throw invalid(`${name} must be a non-empty string or a list of them`)
  }
  return Object.freeze(list as string[])
}

/** A duration in milliseconds. Throws `config_invalid`. */
export function checkDuration(
  name: string,
  value: Duration,
  { least, most = Infinity }: { least: number; most?: number },
): number {
  let milliseconds: number
  try {
    milliseconds = toSeconds(value) * 1000
  } catch (cause) {
    throw new AuthError('config_invalid', `${name} must be a number of seconds or a duration such as '15m'`, { cause })
  }
  if (milliseconds < least || milliseconds > most) {
    throw invalid(`${name} must be between ${least / 1000} and ${most / 1000} seconds`)
  }
  return milliseconds
}

/** A shorter one would leave so many keys in the JWK Set as tokens have lives in a period. */
function checkPeriod(keyPeriod: number, accessTtl: number): number {
  if (keyPeriod >= accessTtl) return keyPeriod
  throw invalid('keyPeriod must not be shorter than accessTtl')
}

/** What is in it, the guard checks. */
function checkArray(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze([...value])
  throw invalid(`${name} must be a list`)
}

function checkMaxSessions(value: unknown): number {
  if (value === Infinity || (Number.isInteger(value) && (value as number) >= 1)) return value as number
  throw invalid('maxSessions must be a whole number of at least 1')
}

/** As the roles of built-in users are spelled. */
function checkAdminRole(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value)) return value
  throw invalid('adminRole must be 1 to 64 letters, digits and . _ - :')
}

function checkBasePath(value: unknown): string {
  if (value === '' || (typeof value === 'string' && /^(\/[A-Za-z0-9._~-]+)+$/.test(value))) return value
  throw invalid('basePath must be empty or like /auth: a leading slash, none at the end')
}

function checkOrigins(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalid('allowedOrigins must be a list of origins such as https://app.example.com')
  for (const [index, entry] of value.entries()) {
    const origin = originOf(entry)
    if (origin === entry) continue
    const expected = origin ?? 'one such as https://app.example.com'
    throw invalid(`allowedOrigins must hold exact origins: entry ${index + 1} must be ${expected}`)
  }
  return Object.freeze([...value])
}

/** A token of RFC 6265 without the characters that mean something elsewhere, and without a prefix, which is not for us to choose. */
function checkCookieName(value: unknown): string {
  if (typeof value === 'string' && /^(?!__)[A-Za-z0-9_-]{1,64}$/.test(value)) return value
  throw invalid('cookieName must be 1 to 64 letters, digits and - _, without __ in front: __Host- is added on https')
}

function checkTrustProxy(value: unknown): number | readonly string[] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 16) return value
  if (Array.isArray(value) && value.length > 0 && value.every(isCidr)) return Object.freeze([...value])
  throw invalid('trustProxy must be a number of hops (0 to 16) or a list of addresses such as 10.0.0.0/8')
}

function isCidr(value: unknown): boolean {
  const [, address = '', bits = '0'] = typeof value === 'string' ? (/^([^/%]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []) : []
  if (/^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$/.test(address)) return URL.canParse(`http://[${address}]`) && Number(bits) <= 128
  return IPV4.test(address) && Number(bits) <= 32
}

const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/

function checkOneOf(name: string, value: unknown, allowed: readonly string[]): string {
  if (typeof value === 'string' && allowed.includes(value)) return value
  throw invalid(`${name} must be one of ${allowed.join(', ')}`)
}

/** A string is not repeated: a URL may hold a password. */
function checkStore(value: unknown): unknown {
  if (typeof (value as Store | null)?.transaction === 'function') return value
  const call =
    typeof value === 'string' && /^\s*postgres/i.test(value) ? 'postgresStore(url)' : "sqliteStore('./sealwax.db')"
  const what = typeof value === 'string' ? 'a store, not a string' : 'a store'
  const from = call.startsWith('p') ? 'sealwax/postgres' : 'sealwax/sqlite'
  throw invalid(`store must be ${what}: write store: ${call}, with the function from '${from}'`)
}

function checkLogger(value: unknown): unknown {
  const logger = value as Record<string, unknown> | null
  const missing = ['debug', 'info', 'warn', 'error'].filter((level) => typeof logger?.[level] !== 'function')
  if (missing.length === 0) return value
  throw invalid(`logger must have the methods debug, info, warn and error, as pino has; missing: ${missing.join(', ')}`)
}

function checkFunction(name: string, value: unknown): unknown {
  if (typeof value !== 'function') throw invalid(`${name} must be a function`)
  return value
}

function invalid(sentence: string): AuthError {
  return new AuthError('config_invalid', sentence)
}
