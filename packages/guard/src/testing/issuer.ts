import { createPublicKey, createSecretKey, type KeyObject, randomUUID } from 'node:crypto'
import {
  type Algorithm,
  type Duration,
  importKey,
  type JwtPayload,
  type PublicJwk,
  type SigningKey,
  sign,
  toSeconds,
  type VerificationKey,
} from '@sealwax/jwt'
import { createGuard, type Guard, type GuardOptions } from '../guard.ts'
import { createRevocationList, type RevocationList, subjectKey } from '../revocations/list.ts'
import { checkOptions, mustBe, mustBeDuration, type OptionRules } from '../strict-options.ts'
import { compact, type Forge, generateKeySync, type Segment, signerOf } from './forge.ts'

/** Options of {@link createTestIssuer}. */
export interface TestIssuerOptions {
  /** `iss` of its tokens. Default `'https://issuer.test'`. */
  readonly issuer?: string
  /** `aud` of its tokens. Default `'https://api.test'`. */
  readonly audience?: string
  /** The algorithm of its key. Default `'ES256'`. */
  readonly alg?: Algorithm
  /** The key for an HMAC algorithm, as configured in the program under test. Default: random. */
  readonly secret?: Uint8Array
}

/** The content of a test token; every member has a default. */
export interface MintOptions {
  /** `sub`. Default `'test-user'`. */
  readonly subject?: string
  /** `sid`. Default `'test-session'`. */
  readonly sessionId?: string
  /** `client_id`. Default `'test-client'`. */
  readonly clientId?: string
  /** `roles`. Default: no such claim. */
  readonly roles?: readonly string[]
  /** `scope`: one or several, as a list or separated by spaces. Default: no such claim. */
  readonly scope?: string | readonly string[]
  /** `auth_time`. Default: the time of the clock. `null`: no such claim. */
  readonly authenticatedAt?: Date | null
  /** `ver`. Default: no such claim. */
  readonly version?: number
  /** From now to `exp`. Default `'15m'`. */
  readonly expiresIn?: Duration
  /** Other claims. */
  readonly claims?: JwtPayload
  /** Another `iss` than the issuer's. */
  readonly issuer?: string
  /** Another `aud` than the issuer's. */
  readonly audience?: string | readonly string[]
  /** Another `typ` than `'at+jwt'`; `null`: none. */
  readonly typ?: string | null
}

/** A clock that only moves with `advance`. It starts at the current time. */
export interface TestClock {
  /** Returns milliseconds since 1970: `createGuard({ now: clock.now })`. */
  readonly now: () => number
  /** Moves the clock forward: seconds, or a string such as `'16m'`. */
  readonly advance: (duration: Duration) => void
}

/** Issues tokens for tests. The guards under test trust it. */
export interface TestIssuer {
  /** `iss` of its tokens. */
  readonly issuer: string
  /** `aud` of its tokens. */
  readonly audience: string
  /** The algorithm of its key. */
  readonly alg: Algorithm
  /** The key that verifies its tokens: `createGuard({ keys: testIssuer.keys })`. */
  readonly keys: VerificationKey
  /**
   * The same as a JWK Set (RFC 7517 §5), for programs that read one; empty for an HMAC algorithm.
   */
  readonly jwks: { keys: PublicJwk[] }
  /** Its revocations: `createGuard({ revocation: testIssuer.revocation })`. */
  readonly revocation: RevocationList
  /** The clock of its tokens and guards. */
  readonly clock: TestClock
  /**
   * Creates a guard that trusts this issuer, with its clock and revocations.
   * @param options replace any of these
   */
  guard(options?: Partial<GuardOptions>): Guard
  /**
   * Creates a valid access token, issued at the time of the clock.
   * @throws {TypeError} for unknown options
   * @throws {JwtError} for claims that `sign` refuses
   */
  mint(options?: MintOptions): string
  /**
   * Creates a token with any header and payload, including those that `sign` refuses. Objects are
   * encoded as JSON, strings as UTF-8, bytes as they are.
   */
  forge(header: Segment, payload: Segment): string
  /** Ends a session: its tokens are `token_revoked`. Default `'test-session'`. */
  revokeSession(sessionId?: string): void
  /**
   * Makes the tokens of a user with a lower `ver`, or none, `token_stale`. Default `'test-user'`
   * and 1.
   */
  raiseVersion(subject?: string, version?: number): void
  /** Revokes the key: all tokens are `token_stale`. */
  revokeKey(): void
}

const isNames = (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === 'string')

const isString = (value: unknown) => typeof value === 'string'

const OPTIONS: OptionRules<TestIssuerOptions> = {
  example: "{ audience: 'orders-api' }",
  rules: {
    issuer: mustBe('a string', isString),
    audience: mustBe('a string', isString),
    // `importKey` checks the name.
    alg: mustBe("the name of an algorithm such as 'ES256'", isString),
    secret: mustBe('a Uint8Array', (value) => value instanceof Uint8Array),
  },
}

const MINT: OptionRules<MintOptions> = {
  example: "{ roles: ['admin'] }",
  rules: {
    subject: mustBe('a string', isString),
    sessionId: mustBe('a string', isString),
    clientId: mustBe('a string', isString),
    roles: mustBe('a list of strings', isNames),
    scope: mustBe('a string or a list of strings', (value) => typeof value === 'string' || isNames(value)),
    authenticatedAt: mustBe('a Date, or null', (value) => value === null || value instanceof Date),
    version: mustBe('a number', (value) => typeof value === 'number'),
    expiresIn: mustBeDuration('at least 1 second', 1),
    claims: mustBe('an object of claims', (value) => typeof value === 'object' && value !== null),
    // These are checked by `sign`.
    issuer: mustBe('a string', (value) => value !== undefined),
    audience: mustBe('a string or a list of strings', (value) => value !== undefined),
    typ: mustBe('a media type, or null', (value) => value !== undefined),
  },
}

/** In seconds; longer than any test token is valid. */
const REVOKED_FOR = 10 * 365 * 86_400

const keyObjects = new WeakMap<TestIssuer, KeyObject>()

/**
 * Creates an issuer with a new key, a clock that the test moves and a list of revocations. Opens
 * nothing, so nothing needs to be closed.
 * @throws {TypeError} for unknown or `undefined` options
 * @throws {JwtError} for an algorithm that does not exist, or a `secret` that is too short for it
 */
export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  checkOptions('createTestIssuer', options, OPTIONS)
  const { issuer = 'https://issuer.test', audience = 'https://api.test', alg = 'ES256', secret } = options
  const keyObject = secret === undefined ? generateKeySync(alg) : createSecretKey(secret)
  const key = signingKeyOf(keyObject, alg)
  const keys = key.publicKey ?? key
  const clock = createTestClock()
  const revocation = createRevocationList({ now: clock.now })
  const until = () => clock.now() / 1000 + REVOKED_FOR
  const testIssuer: TestIssuer = {
    issuer,
    audience,
    alg,
    keys,
    jwks: { keys: key.publicKey === undefined ? [] : [publicJwkOf(keyObject, key)] },
    revocation,
    clock,
    guard: (own = {}) => createGuard({ issuer, audience, keys, revocation, now: clock.now, ...own }),
    mint: (own = {}) => mint(own, { issuer, audience }, key, clock.now()),
    forge: (header, payload) => compact(header, payload, signerOf(alg, keyObject)),
    revokeSession: (sid = 'test-session') => revocation.add({ kind: 'sid', sid, until: until() }),
    raiseVersion: (subject = 'test-user', ver = 1) =>
      revocation.add({ kind: 'ver', subject: subjectKey(issuer, subject), ver, until: until() }),
    revokeKey: () => revocation.add({ kind: 'kid', kid: key.kid, until: until() }),
  }
  keyObjects.set(testIssuer, keyObject)
  return Object.freeze(testIssuer)
}

/**
 * Returns the parts that hostile tokens of an issuer are made from.
 * @param good the content of its valid token
 */
export function forgeOf(testIssuer: TestIssuer, good: MintOptions): Forge {
  const key = keyObjects.get(testIssuer)
  if (key === undefined) throw new TypeError('testing: issuer must be what createTestIssuer returns')
  const [header = '', payload = ''] = testIssuer.mint(good).split('.')
  const { alg } = testIssuer
  const strangerKey = generateKeySync(alg)
  return {
    alg,
    kid: testIssuer.keys.kid,
    publicKey: key.type === 'private' ? createPublicKey(key) : key,
    header: parse(header),
    claims: parse(payload),
    sign: signerOf(alg, key),
    signAsStranger: signerOf(alg, strangerKey),
    strangerKey,
  }
}

function parse(segment: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(segment, 'base64url').toString())
}

function signingKeyOf(key: KeyObject, alg: Algorithm): SigningKey {
  // Ed25519 keys have two algorithm names (RFC 9864 §2.2); use the requested one.
  return importKey({ ...key.export({ format: 'jwk' }), alg } as Parameters<typeof importKey>[0]) as SigningKey
}

function publicJwkOf(key: KeyObject, { alg, kid }: SigningKey): PublicJwk {
  return { ...createPublicKey(key).export({ format: 'jwk' }), alg, kid, use: 'sig' } as PublicJwk
}

function createTestClock(): TestClock {
  let time = Date.now()
  return Object.freeze({
    now: () => time,
    advance: (duration: Duration) => {
      time += toSeconds(duration) * 1000
    },
  })
}

function mint(
  options: MintOptions,
  defaults: { issuer: string; audience: string },
  key: SigningKey,
  now: number,
): string {
  checkOptions('mint', options, MINT)
  const { issuer = defaults.issuer, audience = defaults.audience, typ = 'at+jwt', expiresIn = '15m' } = options
  const { authenticatedAt = new Date(now), scope, roles, version, claims } = options
  const payload: JwtPayload = {
    sub: options.subject ?? 'test-user',
    sid: options.sessionId ?? 'test-session',
    client_id: options.clientId ?? 'test-client',
    ...(scope !== undefined && { scope: typeof scope === 'string' ? scope : scope.join(' ') }),
    ...(roles !== undefined && { roles: [...roles] }),
    ...(authenticatedAt !== null && { auth_time: Math.floor(authenticatedAt.getTime() / 1000) }),
    ...(version !== undefined && { ver: version }),
    jti: randomUUID(),
    ...claims,
  }
  return sign(payload, key, { issuer, audience, typ, expiresIn, currentDate: new Date(now) })
}
