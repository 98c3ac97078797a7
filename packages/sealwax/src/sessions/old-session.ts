import { createHash } from 'node:crypto'
import { type Auth, GuardError } from '@sealwax/guard'
import { describeValue } from '@sealwax/jwt/internal'
import type { Context } from '../core/context.ts'
import { guardsOf } from '../core/guards.ts'
import { AuthError } from '../errors.ts'
import type { Exchange, OldSession } from './exchange-options.ts'

/** A checked session of an older system. */
export interface FoundSession extends Omit<OldSession, 'id' | 'issuedAt'> {
  /** SHA-256 of its id. */
  readonly hash: string
  /** When the user logged in, or else when the token was issued, in seconds since 1970. */
  readonly issuedAt: number
  /** When the user logged in, in milliseconds; 0 if a token does not say when. */
  readonly authTime: number
  /**
   * The issuer of the token; undefined for what `read` returned, null for a token without `iss`.
   */
  readonly issuer?: string | null
}

/**
 * Finds the session of the older system that a request belongs to: what `read` returns, or else the
 * access token of one of the other issuers. Must not be called inside a unit.
 *
 * @throws {AuthError} `exchange_refused` for a request without one, and for a token of this server
 * @throws {AuthError} `temporarily_unavailable` when `read` fails
 * @throws {GuardError} for a token that `auth.guard` refuses
 * @throws {TypeError} when the result of `read` has the wrong type
 */
export async function findOldSession(context: Context, { read }: Exchange, request: Request): Promise<FoundSession> {
  const found = read === undefined ? undefined : await callRead(read, request)
  if (found !== undefined) return found
  if (context.config.issuers.length > 0) return byAccessToken(context, request)
  throw new AuthError('exchange_refused', 'The request belongs to no session of the older system. Log in')
}

async function callRead(read: NonNullable<Exchange['read']>, request: Request): Promise<FoundSession | undefined> {
  let found: OldSession | undefined
  try {
    found = await read(request)
  } catch (cause) {
    // A refusal of a guard that the application uses in `read` is permanent.
    if (cause instanceof GuardError) throw cause
    throw new AuthError('temporarily_unavailable', 'The session of the older system could not be read', {
      retryAfter: 1,
      cause,
    })
  }
  // JavaScript code may return null, or what its database returns for no row.
  if (!found) return undefined
  for (const name of Object.keys(found)) if (!Object.hasOwn(MEMBERS, name)) throw wrong(`no member ${name}`)
  for (const [name, [isValid, expected]] of Object.entries(MEMBERS)) {
    const value = found[name as keyof OldSession]
    if (!isValid(value)) throw wrong(`${name} as ${expected} (got ${describeValue(value)})`)
  }
  const { id, issuedAt, ...rest } = found
  const seconds = toSeconds(issuedAt)
  return { ...rest, hash: hashOf(['read', id]), issuedAt: seconds, authTime: seconds * 1000 }
}

const optional = (isValid: (value: unknown) => boolean) => (value: unknown) => value === undefined || isValid(value)

/** The members of an `OldSession`. The content is checked as in `auth.sessions.create`. */
const MEMBERS: Readonly<Record<keyof OldSession, readonly [isValid: (value: unknown) => boolean, expected: string]>> = {
  id: [(value) => typeof value === 'string' && value !== '', 'a string that is not empty'],
  subject: [(value) => typeof value === 'string', 'a string'],
  issuedAt: [(value) => value instanceof Date || typeof value === 'number', 'a Date or seconds since 1970'],
  roles: [optional(isStringArray), 'a list of strings'],
  scope: [optional((value) => typeof value === 'string'), 'a string'],
  claims: [optional((value) => typeof value === 'object' && value !== null), 'an object'],
  amr: [optional(isStringArray), 'a list of strings'],
  remember: [optional((value) => typeof value === 'boolean'), 'true or false'],
}

/** Later times than this are in milliseconds: it is the year 5138. */
const MOST_SECONDS = 100_000_000_000

function toSeconds(time: unknown): number {
  const seconds = time instanceof Date ? time.getTime() / 1000 : time
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds < MOST_SECONDS)) {
    throw wrong('issuedAt as a Date or as seconds since 1970')
  }
  return Math.floor(seconds)
}

/** A bug of the application, found before anything is stored. */
function wrong(expected: string): TypeError {
  return new TypeError(`exchange.read must return ${expected}`)
}

/**
 * Roles, scope and claims are not taken from the token: they come from the user here, so that the
 * keys of the older system give nobody a role.
 */
async function byAccessToken(context: Context, request: Request): Promise<FoundSession> {
  const { guard } = guardsOf(context)
  const auth = await guard.authenticate(request)
  if (await isOwn(context, auth, request)) {
    throw new AuthError('exchange_refused', 'This access token was issued by this server. Use its refresh token')
  }
  const { iss = null, iat, auth_time: authTime, amr } = auth.payload
  const issuedAt = typeof authTime === 'number' ? authTime : iat
  if (typeof issuedAt !== 'number') {
    throw new AuthError('exchange_refused', 'The access token does not say when it was issued. Log in again')
  }
  return {
    subject: auth.subject,
    hash: hashOf(identityOf(auth, request)),
    issuedAt: Math.floor(issuedAt),
    authTime: typeof authTime === 'number' ? Math.floor(authTime) * 1000 : 0,
    issuer: typeof iss === 'string' ? iss : null,
    ...(isStringArray(amr) && { amr }),
  }
}

/** An older system may have the same `iss`: then only the keys distinguish its tokens from ours. */
async function isOwn(context: Context, { payload }: Auth, request: Request): Promise<boolean> {
  if (payload.iss !== context.config.issuer) return false
  try {
    await guardsOf(context).own.authenticate(request)
    return true
  } catch (error) {
    if (error instanceof GuardError && error.status === 401) return false
    throw error
  }
}

/**
 * What identifies the older session: `sid`, since all its tokens have the same, or else `jti`, or
 * else what was signed. The signature is left out: of one text there are several with ECDSA.
 */
function identityOf({ sessionId, payload }: Auth, request: Request): readonly (string | null)[] {
  const issuer = typeof payload.iss === 'string' ? payload.iss : null
  if (sessionId !== undefined) return ['sid', issuer, sessionId]
  if (typeof payload.jti === 'string' && payload.jti !== '') return ['jti', issuer, payload.jti]
  const token = request.headers.get('Authorization') ?? ''
  return ['token', issuer, token.slice(token.indexOf(' ') + 1, token.lastIndexOf('.'))]
}

function hashOf(identity: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url')
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
