import { AuthError } from '../errors.ts'
import type { SessionWithUser } from '../store/contract/sessions.ts'
import type { UserRow } from '../store/contract/users.ts'
import type { Context, Subject } from './context.ts'
import { checkTokenContent, type TokenSubject } from './tokens.ts'

/** What `loadSubject` returned for a subject. */
export interface Answer {
  /** Undefined: the application has no such user. */
  readonly subject: Subject | undefined
}

/**
 * Asks the application about a subject; undefined without `loadSubject`, when the built-in users alone decide. Not for use inside a unit, which
 * may await only facts. Throws `temporarily_unavailable` when `loadSubject` fails: the application's store may be down, and nobody is refused for good.
 */
export async function askApplication({ loadSubject }: Context, subject: string): Promise<Answer | undefined> {
  if (loadSubject === undefined) return undefined
  let loaded: Subject | undefined
  try {
    loaded = await loadSubject(subject)
  } catch (cause) {
    throw new AuthError('temporarily_unavailable', 'The user could not be loaded', { retryAfter: 1, cause })
  }
  // Code without types may return null, or whatever its database gives for nobody.
  if (!loaded) return { subject: undefined }
  // A mistake of the application's code: found before anything is stored, and never in a token.
  if (typeof loaded !== 'object' || Array.isArray(loaded)) {
    throw new TypeError('loadSubject must return an object with roles, claims or disabled, or undefined for nobody')
  }
  if (loaded.roles !== undefined && !isListOfNames(loaded.roles)) {
    throw new TypeError('loadSubject must return roles as an array of strings')
  }
  checkTokenContent({ claims: loaded.claims, roles: loaded.roles }, (reason) => {
    return new TypeError(`loadSubject must return roles and claims that a token can hold: ${reason}`)
  })
  return { subject: loaded }
}

function isListOfNames(roles: unknown): boolean {
  // Array.from: `every` passes over the gaps of a sparse array.
  return Array.isArray(roles) && Array.from(roles).every((role) => typeof role === 'string')
}

/** Roles, version and claims for the next access token of a session; undefined: its user may no longer have one. */
export async function subjectOf(context: Context, session: SessionWithUser): Promise<TokenSubject | undefined> {
  return tokenSubject(session, await askApplication(context, session.subject))
}

/** The same for a session that begins: `user` is the built-in user, if the subject is one; `given` is what the caller asks for. */
export function subjectOfNew(
  user: UserRow | undefined,
  given: Pick<Subject, 'roles' | 'claims'>,
  answer: Answer | undefined,
): TokenSubject | undefined {
  const builtIn = user && { roles: user.roles, ver: user.ver, disabled: user.disabled_at !== null }
  return tokenSubject({ user: builtIn, roles: given.roles ?? null, claims: given.claims ?? null }, answer)
}

/**
 * The one place where roles, claims and version of a subject are put together. Given `loadSubject`, its roles and claims count; the roles that it
 * leaves out are those of the built-in user, if the subject is one. Undefined: the user is disabled here or by the application, or the application has no such user.
 */
function tokenSubject(
  { user, roles, claims }: Pick<SessionWithUser, 'user' | 'roles' | 'claims'>,
  answer: Answer | undefined,
): TokenSubject | undefined {
  if (user?.disabled === true) return undefined
  if (answer !== undefined) {
    // Any truthy value: a database may say 1 for true.
    if (answer.subject === undefined || answer.subject.disabled) return undefined
    const { roles = user?.roles, claims } = answer.subject
    return { ...(roles && { roles }), ...(claims && { claims }), ver: user?.ver }
  }
  const extra = claims === null ? {} : { claims }
  if (user !== undefined) return { roles: user.roles, ver: user.ver, ...extra }
  return { ...(roles === null ? {} : { roles }), ...extra }
}

/** Why no session may begin. */
export function disabledUser(answer: Answer | undefined): AuthError {
  const sentence =
    answer === undefined ? 'This user is disabled' : 'This user is disabled or unknown to the application'
  return new AuthError('user_disabled', sentence, { reason: 'user_disabled' })
}
