import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { importKey, sign } from '@sealwax/jwt'
import type { Context } from '../core/context.ts'
import type { Subject } from '../core/subject.ts'
import { AuthError } from '../errors.ts'
import { signingKey } from '../signing-keys/ring.ts'
import type { SessionRow } from './contract.ts'

/** The reply of `/login` and `/refresh` (RFC 6749 §5.1), with the limits of the session. */
export interface TokenResponse {
  /** A JWT (RFC 9068). */
  readonly access_token: string
  /**
   * The scheme before the access token in the header `Authorization`. `DPoP`: it is bound to the
   * key of the client, and sent with a proof (RFC 9449 §7.1).
   */
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds until the access token expires. */
  readonly expires_in: number
  /** Opaque, with the prefix `swr_`. */
  readonly refresh_token: string
  /** Seconds until the session ends if it is not refreshed. */
  readonly refresh_expires_in: number
  /** Scopes, separated by spaces; absent if there are none. */
  readonly scope?: string
  /** The session of these tokens. */
  readonly session: {
    /** The `sid` of the access token. */
    readonly id: string
    /** When the session ends at the latest, refreshed or not (RFC 3339). */
    readonly expires_at: string
    /** Whether the session outlives the browser session. */
    readonly remember: boolean
  }
}

/** The `client_id` of first-party tokens (RFC 9068 §2.2). */
export const FIRST_PARTY = 'sealwax'

/** What an access token contains about its user. */
export interface TokenSubject extends Pick<Subject, 'roles' | 'claims'> {
  /** The version of the user. */
  readonly ver?: number | undefined
}

/** Claims that only Sealwax sets. */
const RESERVED = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'sid', 'scope', 'roles', 'auth_time', 'amr', 'ver'],
  ...['cnf', 'act', 'token_use', 'token_type'],
])

/** What the caller or the application puts into a token. */
interface TokenContent {
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly roles?: readonly string[] | undefined
  readonly scope?: string | undefined
  readonly amr?: readonly string[] | undefined
}

/**
 * Checks that a token can contain this, before a session is stored for which no token could be
 * signed.
 *
 * @param refuse creates the error for content that cannot be signed
 * @throws {AuthError} `validation_failed` for a claim that only Sealwax sets
 */
export function checkTokenContent(
  { claims = {}, roles, ...others }: TokenContent,
  refuse: (reason: string) => Error,
): void {
  if (!isPlainObject(claims)) throw refuse('claims is not a plain object')
  const taken = Object.keys(claims).filter((name) => RESERVED.has(name))
  if (taken.length > 0) {
    throw new AuthError('validation_failed', `claims must not contain ${taken.join(', ')}, which Sealwax sets`)
  }
  try {
    sign({ ...claims, ...(roles && { roles: [...roles] }), ...others, ...OWN_CLAIMS }, TRIAL_KEY, TRIAL)
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : 'a claim cannot be read')
  }
}

/** Also accepts objects of another realm, as in a test runner. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** For a trial signature, which is discarded. HMAC takes almost no time. */
const TRIAL_KEY = importKey(randomBytes(32), { alg: 'HS256' })
const TRIAL = { issuer: null, audience: null, typ: null, expiresIn: 1 } as const
/**
 * As many members as Sealwax adds, with room for the longest subject and signature, since the
 * length of a token is limited.
 */
const OWN_CLAIMS = Object.fromEntries(Array.from(RESERVED, (_, i) => [`own ${i}`, 'x'.repeat(64)]))

/**
 * Returns the requested scopes (RFC 6749 §3.3), or all granted scopes if none were requested.
 *
 * @throws {AuthError} `invalid_scope` when one was not granted
 */
export function narrowScopes(granted: readonly string[], requested: string | undefined): readonly string[] {
  if (requested === undefined) return granted
  const scopes = [...new Set(requested.split(' '))]
  if (!scopes.every((scope) => granted.includes(scope))) {
    throw new AuthError('invalid_scope', 'The scope is malformed, or exceeds what was granted')
  }
  return scopes
}

type Lifetime = Pick<SessionRow, 'absolute_expires_at' | 'remember' | 'access_ttl'>

/**
 * Returns when an access token that is issued at `now` expires, in milliseconds since 1970: on a
 * whole second, at the latest when the session ends, but at least one second after `now`.
 */
export function accessExpiry(context: Context, session: Lifetime, now: number): number {
  const issued = wholeSecond(now)
  // `accessTtl` may have been shortened since the session began.
  const ttl = Math.min(session.access_ttl ?? Number.POSITIVE_INFINITY, context.config.accessTtl)
  const latest = Math.min(issued + ttl, wholeSecond(endUnlessRefreshed(context, session, now)))
  return Math.max(latest, issued + 1000)
}

function wholeSecond(time: number): number {
  return time - (time % 1000)
}

/** When a session ends that is refreshed at `now` and not again. */
function endUnlessRefreshed(
  context: Context,
  { absolute_expires_at, remember }: Omit<Lifetime, 'access_ttl'>,
  now: number,
): number {
  return Math.min(now + idleLimit(context, remember), absolute_expires_at)
}

/** The idle limit of sessions with `remember: false`. */
const SHORT_IDLE = 24 * 3_600_000

/** Returns how long a session lives without a refresh, in milliseconds. */
export function idleLimit({ config }: Context, remember: boolean): number {
  return remember ? config.refreshIdle : Math.min(config.refreshIdle, SHORT_IDLE)
}

type TokenSession = Pick<
  SessionRow,
  | 'id'
  | 'subject'
  | 'client_id'
  | 'scope'
  | 'amr'
  | 'auth_time'
  | 'absolute_expires_at'
  | 'remember'
  | 'ver'
  | 'access_ttl'
  | 'jkt'
>

/** Creates the reply with an access token and a refresh token of a session. */
export function tokenResponse(
  context: Context,
  session: TokenSession,
  subject: TokenSubject,
  { generation, hmacKey, now }: { generation: number; hmacKey: KeyObject; now: number },
): TokenResponse {
  const lifetime = (accessExpiry(context, session, now) - wholeSecond(now)) / 1000
  return {
    access_token: accessToken(context, session, subject, { now, lifetime }),
    token_type: session.jkt === null ? 'Bearer' : 'DPoP',
    expires_in: lifetime,
    refresh_token: refreshToken(session.id, generation, hmacKey),
    refresh_expires_in: Math.floor((endUnlessRefreshed(context, session, now) - now) / 1000),
    ...(session.scope === null ? {} : { scope: session.scope }),
    session: {
      id: session.id,
      expires_at: new Date(session.absolute_expires_at).toISOString(),
      remember: session.remember,
    },
  }
}

function accessToken(
  context: Context,
  session: TokenSession,
  subject: TokenSubject,
  { now, lifetime }: { now: number; lifetime: number },
): string {
  // The version of the user is raised by a change of roles; that of the session is set when it
  // begins.
  const ver = Math.max(subject.ver ?? 0, session.ver ?? 0)
  const claims = {
    ...subject.claims,
    sub: session.subject,
    client_id: session.client_id,
    sid: session.id,
    ...(session.scope === null ? {} : { scope: session.scope }),
    ...(subject.roles === undefined || subject.roles.length === 0 ? {} : { roles: [...subject.roles] }),
    auth_time: Math.floor(session.auth_time / 1000),
    amr: [...session.amr],
    ...(ver === 0 ? {} : { ver }),
    ...boundTo(session.jkt),
  }
  return signAccessToken(context, claims, now, lifetime)
}

/** The claim of a token that is bound to a key (RFC 9449 §6.1). */
export function boundTo(jkt: string | null | undefined): { readonly cnf?: { readonly jkt: string } } {
  return jkt === null || jkt === undefined ? {} : { cnf: { jkt } }
}

/**
 * Signs an access token (RFC 9068). Adds `iss`, `aud`, `iat`, `exp` and `jti` to the claims.
 *
 * @param lifetime in seconds
 */
export function signAccessToken(
  context: Context,
  claims: Readonly<Record<string, unknown>>,
  now: number,
  lifetime = context.config.accessTtl / 1000,
): string {
  const { config } = context
  return sign(claims, signingKey(context), {
    issuer: config.issuer,
    audience: config.audience.length === 1 ? (config.audience[0] as string) : [...config.audience],
    typ: 'at+jwt',
    senderConstrained: 'ignore',
    expiresIn: lifetime,
    currentDate: new Date(now),
  })
}

const PREFIX = 'swr_'
const FORMAT = 1
const ID_BYTES = 16
const SIGNED_BYTES = 1 + ID_BYTES + 4
const TOKEN_BYTES = SIGNED_BYTES + 32

/** A parsed refresh token. It must not be trusted before `isGenuine`. */
export interface PresentedToken {
  /** The session that it claims to belong to. */
  readonly sessionId: string
  /** The generation that it claims to be. */
  readonly generation: number
  /** The whole token. */
  readonly bytes: Buffer
}

/**
 * `swr_` + base64url(format ‖ session id ‖ generation ‖ HMAC-SHA-256). The same generation always
 * gives the same token.
 */
function refreshToken(sessionId: string, generation: number, hmacKey: KeyObject): string {
  const signed = Buffer.alloc(SIGNED_BYTES)
  signed[0] = FORMAT
  signed.write(sessionId, 1, 'base64url')
  signed.writeUInt32BE(generation, 1 + ID_BYTES)
  // 21 bytes are exactly 28 characters, so the two parts can be encoded separately.
  return PREFIX + signed.toString('base64url') + mac(signed, hmacKey)
}

/** Whether a token has the prefix of refresh tokens, which no JWT has. */
export function isRefreshToken(token: string): boolean {
  return token.startsWith(PREFIX)
}

/** Parses a refresh token. Returns undefined for a malformed one. */
export function parseRefreshToken(token: string): PresentedToken | undefined {
  if (!isRefreshToken(token) || token.length > 128) return undefined
  const text = token.slice(PREFIX.length)
  const bytes = Buffer.from(text, 'base64url')
  // Only the canonical base64url encoding is accepted.
  if (bytes.length !== TOKEN_BYTES || bytes[0] !== FORMAT || bytes.toString('base64url') !== text) return undefined
  const sessionId = bytes.toString('base64url', 1, 1 + ID_BYTES)
  return { sessionId, generation: bytes.readUInt32BE(1 + ID_BYTES), bytes }
}

/**
 * Imports the key of a session. With raw bytes, node:crypto would take longer than the HMAC itself.
 */
export function sessionKey(octets: Buffer): KeyObject {
  return createSecretKey(octets)
}

/** Whether the token was created with this key. */
export function isGenuine(token: PresentedToken, hmacKey: KeyObject): boolean {
  const made = Buffer.from(mac(token.bytes.subarray(0, SIGNED_BYTES), hmacKey), 'base64url')
  return timingSafeEqual(made, token.bytes.subarray(SIGNED_BYTES))
}

/** As a string, which a digest returns faster than a Buffer. */
function mac(signed: Buffer, hmacKey: KeyObject): string {
  return createHmac('sha256', hmacKey).update(signed).digest('base64url')
}
