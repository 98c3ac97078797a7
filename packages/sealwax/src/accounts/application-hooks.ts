import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { AuthError } from '../errors.ts'
import type { Attributes } from './profile.ts'
import type { User } from './users.ts'

/** Who wants to sign up. */
export interface Candidate {
  /** The normalised e-mail address. */
  readonly email: string
  /** The name that was given. */
  readonly name: string | undefined
}

/** A sentence for the client that says why not, or undefined for yes. */
type Answer = string | undefined | Promise<string | undefined>

/** See `AuthOptions.beforeRegister`. */
export type BeforeRegister = (candidate: Candidate, origin: RequestOrigin) => Answer

/** See `AuthOptions.checkAttributes`. */
export type CheckAttributes = (attributes: Attributes, user: User) => Answer

/**
 * Calls `beforeRegister`. Must not be called inside a unit, which may await only facts.
 *
 * @throws {AuthError} `registration_refused` with the sentence of the application;
 * `temporarily_unavailable` when the function fails
 * @throws {TypeError} when the result is not a sentence
 */
export async function callBeforeRegister(
  { config }: Context,
  candidate: Candidate,
  origin: RequestOrigin,
): Promise<void> {
  await ask('beforeRegister', 'registration_refused', () => config.beforeRegister(candidate, origin))
}

/**
 * Calls `checkAttributes` with all attributes as they would be stored. Must not be called inside a
 * unit.
 *
 * @param user as it is before the change
 * @throws {AuthError} `attributes_invalid` with the sentence of the application;
 * `temporarily_unavailable` when the function fails
 * @throws {TypeError} when the result is not a sentence
 */
export async function callCheckAttributes({ config }: Context, attributes: Attributes, user: User): Promise<void> {
  // A copy: what the application does to it does not change what is stored.
  const copy = structuredClone(attributes)
  await ask('checkAttributes', 'attributes_invalid', () => config.checkAttributes(copy, user))
}

async function ask(
  name: string,
  code: 'registration_refused' | 'attributes_invalid',
  call: () => Answer,
): Promise<void> {
  let sentence: unknown
  try {
    sentence = await call()
  } catch (cause) {
    if (cause instanceof AuthError && cause.code === code) throw cause
    throw new AuthError('temporarily_unavailable', 'The application could not check the request', {
      retryAfter: 1,
      cause,
    })
  }
  // JavaScript code may return null.
  if (sentence === undefined || sentence === null) return
  if (typeof sentence !== 'string' || sentence.trim() === '') {
    throw new TypeError(`${name} must return a sentence that says why not, or undefined`)
  }
  throw new AuthError(code, sentence)
}
