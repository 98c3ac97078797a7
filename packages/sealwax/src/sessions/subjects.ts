import type { Context } from '../core/context.ts'
import type { Subject } from '../core/subject.ts'
import { AuthError } from '../errors.ts'
import type { SessionWithUser, SubjectRow } from './contract.ts'
import { checkTokenContent, type TokenSubject } from './tokens.ts'

/** The result of `loadSubject`. */
export interface Answer {
  /** Undefined when the application has no such user. */
  readonly subject: Subject | undefined
}

/**
 * Calls `loadSubject`, or returns undefined if there is none. Must not be called inside a unit,
 * which may await only facts.
 *
 * @throws {AuthError} `temporarily_unavailable` when `loadSubject` fails: a refusal would be
 * permanent
 * @throws {TypeError} when the result has the wrong type
 */
export async function callLoadSubject({ loadSubject }: Context, subject: string): Promise<Answer | undefined> {
  if (loadSubject === undefined) return undefined
  let loaded: Subject | undefined
  try {
    loaded = await loadSubject(subject)
  } catch (cause) {
    throw new AuthError('temporarily_unavailable', 'The user could not be loaded', { retryAfter: 1, cause })
  }
  // JavaScript code may return null, or what its database returns for no row.
  if (!loaded) return { subject: undefined }
  // A bug of the application, found before anything is stored or signed.
  if (typeof loaded !== 'object' || Array.isArray(loaded)) {
    throw new TypeError(
      'loadSubject must return an object with roles, claims or disabled, or undefined for an unknown user',
    )
  }
  if (loaded.roles !== undefined && !isStringArray(loaded.roles)) {
    throw new TypeError('loadSubject must return roles as an array of strings')
  }
  checkTokenContent({ claims: loaded.claims, roles: loaded.roles }, (reason) => {
    return new TypeError(`loadSubject must return roles and claims that a token can hold: ${reason}`)
  })
  return { subject: loaded }
}

function isStringArray(roles: unknown): boolean {
  // Array.from: `every` skips the gaps of a sparse array.
  return Array.isArray(roles) && Array.from(roles).every((role) => typeof role === 'string')
}

/**
 * Returns the subject of the next access token of a session; undefined when the user may not have
 * one.
 */
export async function resolveSubject(context: Context, session: SessionWithUser): Promise<TokenSubject | undefined> {
  return tokenSubject(session, await callLoadSubject(context, session.subject))
}

/**
 * Returns the subject of a new session.
 *
 * @param user the built-in user, if there is one
 * @param given roles and claims from the caller
 */
export function resolveNewSubject(
  user: SubjectRow | undefined,
  given: Pick<Subject, 'roles' | 'claims'>,
  answer: Answer | undefined,
): TokenSubject | undefined {
  const builtIn = user && { roles: user.roles, ver: user.ver, disabled: user.disabled_at !== null }
  return tokenSubject({ user: builtIn, roles: given.roles ?? null, claims: given.claims ?? null }, answer)
}

/**
 * Combines roles, claims and version of a subject. With `loadSubject`, its roles and claims are
 * used; if it returns no roles, those of the built-in user are used.
 *
 * @returns undefined when the user is disabled here or by the application, or unknown to it
 */
function tokenSubject(
  { user, roles, claims }: Pick<SessionWithUser, 'user' | 'roles' | 'claims'>,
  answer: Answer | undefined,
): TokenSubject | undefined {
  if (user?.disabled === true) return undefined
  if (answer !== undefined) {
    // Any truthy value: a database may return 1 for true.
    if (answer.subject === undefined || answer.subject.disabled) return undefined
    const { roles = user?.roles, claims } = answer.subject
    return { ...(roles && { roles }), ...(claims && { claims }), ver: user?.ver }
  }
  const extra = claims === null ? {} : { claims }
  if (user !== undefined) return { roles: user.roles, ver: user.ver, ...extra }
  return { ...(roles === null ? {} : { roles }), ...extra }
}

/** The error for a user who may not have a session. */
export function disabledUser(answer: Answer | undefined): AuthError {
  const sentence =
    answer === undefined ? 'This user is disabled' : 'This user is disabled or unknown to the application'
  return new AuthError('user_disabled', sentence, { reason: 'user_disabled' })
}
