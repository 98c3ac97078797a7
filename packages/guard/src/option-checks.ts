import { shapeOf } from './shape.ts'
import type { GuardOptions } from './trust.ts'

const MEMBERS: ReadonlySet<string> = new Set<keyof GuardOptions>([
  ...(['issuer', 'audience', 'typ', 'requiredClaims', 'clockTolerance', 'maxLifetime', 'algorithms'] as const),
  ...(['senderConstrained', 'check', 'maxTokenLength', 'maxMembers', 'onKeys'] as const),
  ...([
    'keys',
    'revocation',
    'issuers',
    'cookie',
    'cacheSize',
    'resourceMetadata',
    'onRefusal',
    'realm',
    'now',
  ] as const),
])

/** Members without a default, and what to write. */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  issuer: 'the iss of the tokens, or null to accept tokens of any issuer',
  audience: 'the name of this API in the tokens, or null to accept tokens meant for others',
}

/** Names that other libraries have for an option, and what to write. */
const RENAMED: Readonly<Record<string, string>> = {
  trust: 'issuers: [{ issuer, keys, until }]',
  secret: "keys: importKey(octets, { alg: 'HS256' })",
  key: 'keys',
  jwksUri: 'keys: createRemoteJWKSet(url)',
}

/** @throws TypeError for options that are missing, `undefined` or unknown */
export function checkMembers(options: GuardOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`createGuard: options must be given, such as { issuer, audience }; got ${shapeOf(options)}`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(RENAMED, name)) throw new TypeError(`createGuard: there is no ${name}; write ${RENAMED[name]}`)
    if (!MEMBERS.has(name)) throw new TypeError(`createGuard: unknown option "${name}"`)
    if (value === undefined && !(name in SPELLED_OUT)) {
      throw new TypeError(`createGuard: ${name} is undefined; leave it out to get its default`)
    }
  }
  for (const [name, meaning] of Object.entries(SPELLED_OUT)) {
    if (options[name as keyof GuardOptions] === undefined)
      throw new TypeError(`createGuard: ${name} must be given: ${meaning}`)
  }
}

/**
 * Checks the names that tokens are held against. RFC 8725 §3.8: keys must belong to the issuer, and those beside a list of issuers do not.
 * @throws TypeError with what to write instead
 */
export function checkNames({ issuer, audience }: GuardOptions): void {
  if (Array.isArray(issuer)) {
    throw new TypeError(
      'createGuard: issuer must be one issuer: with a list, a key of one issuer would vouch for all of them. ' +
        'Write the others as issuers: [{ issuer, keys }], each with its own keys',
    )
  }
  if (issuer !== null && (typeof issuer !== 'string' || issuer === '')) {
    throw new TypeError(`createGuard: issuer must be a string, or null to accept any; got ${gotOf(issuer)}`)
  }
  const names: unknown[] = [audience].flat()
  if (audience !== null && (names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))) {
    throw new TypeError(
      `createGuard: audience must be a string, a list of strings, or null to accept tokens meant for others; got ${gotOf(audience)}`,
    )
  }
}

function gotOf(value: unknown): string {
  if (value === '') return 'an empty string'
  return Array.isArray(value) && value.length === 0 ? 'an empty list' : shapeOf(value)
}
