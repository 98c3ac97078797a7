import { describeValue, isLoopback } from '@sealwax/jwt/internal'
import { callback, duration, invalidOption as invalid, type OptionRules, oneOf, text, words } from './options.ts'
import { canonicalUrl, originOf } from './origins.ts'
import { findWeakness } from './secret-strength.ts'
import type { Store } from './unit-of-work.ts'

const DAY = 24 * 60 * 60_000

const MAKE_SECRET = 'make one with: openssl rand -base64 48'

/** The options that belong to no feature. */
export const coreOptions: OptionRules = {
  issuer: { check: (value) => checkUrl('issuer', value), example: "issuer: 'https://auth.example.com'", parse: text },
  audience: {
    check: (value) => checkList('audience', value),
    example: "audience: 'https://api.example.com'",
    parse: words,
  },
  secret: {
    check: checkSecrets,
    example: `secret: '…' with at least 32 random characters; ${MAKE_SECRET}`,
    parse: words,
  },
  store: { check: checkStore, example: "store: sqliteStore('./sealwax.db')" },
  accessTtl: duration('accessTtl', '15m', { least: 1000, most: DAY }),
  auditRetention: duration('auditRetention', '400d', { least: DAY }),
  basePath: { check: checkBasePath, fallback: '', parse: text },
  issuers: { check: (value) => checkArray('issuers', value), fallback: [] },
  allowedOrigins: { check: checkOrigins, fallback: [], parse: words },
  cookieName: { check: checkCookieName, fallback: 'sealwax', parse: text },
  trustProxy: {
    check: checkTrustProxy,
    fallback: 0,
    parse: (value) => (/^\d+$/.test(value) ? Number(value) : words(value)),
  },
  forwardedHeader: {
    ...oneOf('forwardedHeader', ['x-forwarded-for', 'forwarded'], 'x-forwarded-for'),
    parse: (value) => value.toLowerCase(),
  },
  // The prefix keeps it apart from the roles of the application.
  adminRole: { check: checkAdminRole, fallback: 'sealwax:admin', parse: text },
  migrate: oneOf('migrate', ['auto', 'off'], 'auto'),
  loadSubject: callback('loadSubject'),
  onEvent: callback('onEvent'),
  onRefusal: callback('onRefusal'),
  logger: { check: checkLogger },
  now: callback('now'),
}

function checkSecrets(value: unknown): readonly string[] {
  if (value === '') {
    const got = 'an empty string: is the environment variable set?'
    throw invalid('secret', `be at least 32 random characters; ${MAKE_SECRET}`, got)
  }
  const secrets = checkList('secret', value)
  for (const [i, secret] of secrets.entries()) {
    const weakness = findWeakness(secret, { encrypts: i === 0 })
    if (weakness !== undefined) {
      const got = `one that ${weakness}`
      throw invalid('secret', `be at least 32 random characters; ${MAKE_SECRET}`, got)
    }
  }
  return secrets
}

/**
 * Checks a public URL of this server: https, or http on loopback, in canonical form.
 *
 * @throws {AuthError} `config_invalid`
 */
export function checkUrl(name: string, value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw invalid(name, 'be a URL such as https://auth.example.com', describeValue(value))
  }
  const url = new URL(value)
  if (url.username !== '' || url.password !== '') {
    throw invalid(name, 'be a URL without a user', 'one with a user or password')
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(name, 'be a URL without query and fragment', 'one with a query or fragment')
  }
  const got = JSON.stringify(value)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    const secure = value.replace(/^[^:]*:/, 'https:')
    throw invalid(name, `be https, or http on loopback: write ${secure}`, got)
  }
  // Tokens repeat the issuer byte for byte, so verifiers would take a second spelling for another.
  const canonical = canonicalUrl(url)
  const bare = canonical.replace(/(?<=\/\/[^/]+)\/$/, '')
  if (value !== canonical && value !== bare) {
    const wanted = value.endsWith('/') ? canonical : bare
    throw invalid(name, `be in canonical form: write ${wanted}`, got)
  }
  return value
}

function checkList(name: string, value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? [...value] : [value]
  if (list.length === 0 || list.some((item) => typeof item !== 'string' || item.length === 0)) {
    const got = list.length > 0 && Array.isArray(value) ? 'a list with an invalid entry' : describeValue(value)
    throw invalid(name, 'be a non-empty string or a list of them', got)
  }
  return Object.freeze(list as string[])
}

/** The guard checks the entries. */
function checkArray(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze([...value])
  throw invalid(name, 'be a list', describeValue(value))
}

/** The same characters as in the roles of built-in users. */
function checkAdminRole(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value)) return value
  throw invalid('adminRole', 'be 1 to 64 letters, digits and . _ - :', describeValue(value))
}

function checkBasePath(value: unknown): string {
  if (value === '' || (typeof value === 'string' && /^(\/[A-Za-z0-9._~-]+)+$/.test(value))) return value
  const allowed = "be empty or a path such as '/auth', with a leading slash and no slash at the end"
  throw invalid('basePath', allowed, describeValue(value))
}

/** Entries are not repeated in messages: a URL may contain a password. */
function checkOrigins(value: unknown): readonly string[] {
  const example = 'https://app.example.com'
  if (!Array.isArray(value)) {
    throw invalid('allowedOrigins', `be a list of exact origins such as ${example}`, describeValue(value))
  }
  for (const [index, entry] of value.entries()) {
    const origin = originOf(entry)
    if (origin === entry) continue
    const got = origin === undefined ? 'something else' : `another spelling of ${origin}`
    throw invalid('allowedOrigins', `be a list of exact origins such as ${example}`, `${got} as entry ${index + 1}`)
  }
  return Object.freeze([...value])
}

/**
 * A cookie name (RFC 6265 §4.1.1) of safe characters. The prefix `__Host-` is added to it on https.
 */
function checkCookieName(value: unknown): string {
  if (typeof value === 'string' && /^(?!__)[A-Za-z0-9_-]{1,64}$/.test(value)) return value
  const allowed = 'be 1 to 64 letters, digits and - _, and not begin with __, since __Host- is added on https'
  throw invalid('cookieName', allowed, describeValue(value))
}

function checkTrustProxy(value: unknown): number | readonly string[] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 16) return value
  if (Array.isArray(value) && value.length > 0 && value.every(isCidr)) return Object.freeze([...value])
  const wrong = Array.isArray(value) ? value.findIndex((entry) => !isCidr(entry)) : -1
  const got = wrong < 0 ? describeValue(value) : `something else as entry ${wrong + 1}`
  throw invalid('trustProxy', "be a number of hops (0 to 16) or a list of addresses such as '10.0.0.0/8'", got)
}

function isCidr(value: unknown): boolean {
  const [, address = '', bits = '0'] = typeof value === 'string' ? (/^([^/%]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []) : []
  if (/^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$/.test(address)) return URL.canParse(`http://[${address}]`) && Number(bits) <= 128
  return IPV4.test(address) && Number(bits) <= 32
}

/** The string is not repeated in the message: a URL may contain a password. */
function checkStore(value: unknown): unknown {
  if (typeof (value as Store | null)?.transaction === 'function') return value
  const isPostgres = typeof value === 'string' && /^\s*postgres/i.test(value)
  const [call, from] = isPostgres
    ? ['postgresStore(url)', 'sealwax/postgres']
    : ["sqliteStore('./sealwax.db')", 'sealwax/sqlite']
  throw invalid('store', `be a store such as ${call} from '${from}'`, describeValue(value))
}

function checkLogger(value: unknown): unknown {
  const logger = value as Record<string, unknown> | null
  const missing = ['debug', 'info', 'warn', 'error'].filter((level) => typeof logger?.[level] !== 'function')
  if (missing.length === 0) return value
  const got =
    typeof value === 'object' && value !== null ? `an object without ${missing.join(', ')}` : describeValue(value)
  throw invalid('logger', 'have the methods debug, info, warn and error, as pino does', got)
}

const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
