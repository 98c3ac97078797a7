import { isHttpOrigins } from '@sealwax/jwt/internal'
import { ALGORITHMS } from './algorithms.ts'
import type { GuardOptions, RemoteKeysOptions, TrustedIssuer } from './options.ts'
import {
  isListOf,
  isNonEmpty,
  mustBe,
  mustBeDuration,
  mustBeFunction,
  mustBeOneOf,
  mustBeWholeNumber,
  type OptionRules,
  type Rule,
} from './strict-options.ts'
import { parseSecureUrl } from './urls.ts'

const ALGORITHM_LIST = `a list of at least one of ${Object.keys(ALGORITHMS).join(' ')}`

const isObject = (value: unknown) => typeof value === 'object' && value !== null

/** The accepted values of the option `revocation`, for messages. */
export const REVOCATION =
  'a RevocationList, { check } of your own, { url } of a revocation feed, or null if tokens of ended sessions may be used until they expire'

/**
 * RFC 8725 §3.8: keys must belong to one issuer, so one set of keys for a list of issuers is
 * refused.
 */
const mustBeIssuer: Rule = (value) => {
  if (value === null || isNonEmpty(value)) return undefined
  if (!Array.isArray(value)) return 'the iss of the tokens, a string, or null to accept tokens of any issuer'
  return (
    'one issuer: with a list, a key of one issuer would vouch for all of them. ' +
    'Write the others as issuers: [{ issuer, keys }], each with its own keys'
  )
}

const mustBeAudience = mustBe(
  'the name of this API in the tokens, a list of names, or null to accept tokens meant for others',
  (value) => value === null || isNonEmpty(value) || isListOf(value),
)

/** Rules that `GuardOptions` and `TrustedIssuer` share. */
const TOKEN_RULES = {
  audience: mustBeAudience,
  typ: mustBe(
    "a media type such as 'at+jwt', or null to accept any",
    (value) => value === null || (typeof value === 'string' && /^[\x21-\x3a\x3c-\x7e]{1,127}$/.test(value)),
  ),
  requiredClaims: mustBe('a list of at least one claim name', (value) => isListOf(value)),
  maxLifetime: mustBeDuration('at least 1 second', 1),
  senderConstrained: mustBeOneOf('refuse', 'ignore'),
  kind: mustBeOneOf('access token', 'ID token'),
  claims: mustBe("an object such as { scopes: 'scp' }", isObject),
  check: mustBeFunction('a function of the auth that returns true or false'),
  algorithms: mustBe(ALGORITHM_LIST, (value) => isListOf(value, (name) => Object.hasOwn(ALGORITHMS, name))),
  // `verify` checks the keys.
  keys: mustBe(
    'keys, a function that returns keys, or what createRemoteJWKSet returns',
    (value) => value !== undefined,
  ),
  revocation: mustBe(REVOCATION, (value) => typeof value === 'object'),
  remoteKeys: mustBe("an object such as { timeout: '2s' }", isObject),
  fetch: mustBeFunction('a function like the global fetch'),
  allowHttp: mustBe("a list of origins such as ['http://keycloak:8080']", isHttpOrigins),
}

/** What the option `remoteKeys` accepts. */
export const REMOTE_KEYS: OptionRules<RemoteKeysOptions> = {
  example: "{ timeout: '2s' }",
  rules: {
    cacheMaxAge: mustBeDuration('from 1 second to 1 day', 1, 86_400),
    coolDown: mustBeDuration('from 1 second to 1 day', 1, 86_400),
    timeout: mustBeDuration('from 1 to 60 seconds', 1, 60),
  },
}

/** What `createGuard` accepts. */
export const GUARD_OPTIONS: OptionRules<GuardOptions> = {
  example: '{ issuer, audience }',
  required: ['issuer', 'audience'],
  hints: {
    trust: 'write issuers: [{ issuer, keys, until }]',
    secret: "write keys: importKey(octets, { alg: 'HS256' })",
    key: 'write keys',
    jwksUri: 'write keys: createRemoteJWKSet(url)',
    leeway: 'write clockTolerance',
    onRefused: 'write onRefusal; onRefused is an option of protect',
  },
  rules: {
    ...TOKEN_RULES,
    issuer: mustBeIssuer,
    clockTolerance: mustBeDuration('at most 60 seconds', 0, 60),
    maxTokenLength: mustBeWholeNumber(1, 1_048_576),
    maxMembers: mustBeWholeNumber(1, 65_536),
    onKeys: mustBeFunction(),
    issuers: mustBe('a list such as [{ issuer, keys }]', (value) => Array.isArray(value) && value.every(isObject)),
    dpop: mustBe('what createDpopVerifier returns', (value) => isObject(value) && 'check' in (value as object)),
    cookie: mustBe("an object such as { name: '__Host-access' }", isObject),
    token: mustBe(
      "an object such as { header: 'X-Access-Token' }, or a function of the request",
      (value) => isObject(value) || typeof value === 'function',
    ),
    cacheSize: mustBeWholeNumber(0, 1_000_000),
    resourceMetadata: mustBe('an https URL (http on loopback)', (value) => parseSecureUrl(value) !== undefined),
    onRefusal: mustBeFunction(),
    realm: mustBe(
      'printable ASCII, and not empty',
      (value) => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
    ),
    now: mustBeFunction('a function that returns milliseconds since 1970'),
  },
}

/** What each entry of `issuers` accepts. */
export const TRUSTED_ISSUER: OptionRules<TrustedIssuer> = {
  example: '{ issuer, keys }',
  required: ['issuer'],
  hints: { key: 'write keys', jwksUri: 'write keys: createRemoteJWKSet(url)' },
  rules: {
    ...TOKEN_RULES,
    issuer: mustBe(
      'the iss of its tokens, a string, or null for tokens without one',
      (value) => value === null || isNonEmpty(value),
    ),
    until: mustBe("a Date, or a date such as '2027-03-31'", (value) => timeOf(value) !== undefined),
  },
}

/** The time of a date in milliseconds since 1970; `undefined` if it is not a valid date. */
export function timeOf(date: unknown): number | undefined {
  if (!(date instanceof Date) && !(typeof date === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(date))) {
    return undefined
  }
  const time = new Date(date).getTime()
  if (Number.isNaN(time)) return undefined
  // `Date` turns a day that the month does not have into a day of the next month.
  const isReal = date instanceof Date || new Date(time).toISOString().startsWith(date.slice(0, 10))
  return isReal ? time : undefined
}
