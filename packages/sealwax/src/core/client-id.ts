import { AuthError } from '../errors.ts'

/** The prefix of the ids of API clients. */
export const CLIENT_ID_PREFIX = 'cli_'
const FORM = /^cli_[A-Za-z0-9_-]{22}$/
/** A well-formed id that no client has. */
const NOBODY = `${CLIENT_ID_PREFIX}${'-'.repeat(22)}`

/** Whether a `sub` or `client_id` is that of an API client. */
function isClientId(subject: string): boolean {
  return subject.startsWith(CLIENT_ID_PREFIX)
}

/**
 * Refuses a user id that looks like the id of an API client, so that no resource server mistakes a
 * machine for a user (RFC 9068 §5).
 *
 * @throws {AuthError} `validation_failed`
 */
export function refuseClientId(subject: string): void {
  if (isClientId(subject)) {
    throw new AuthError('validation_failed', `Ids that begin with ${CLIENT_ID_PREFIX} are reserved for API clients`)
  }
}

/**
 * The id to look up for a given `client_id`. One that is malformed is replaced by an id that no
 * client has: this takes the same time, and the given id is not sent to the database.
 */
export function lookupId(id: string): string {
  return FORM.test(id) ? id : NOBODY
}

/** An access token whose signature, times and revocations the guard has checked. */
export interface CheckedToken {
  readonly subject: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** Whether the token was issued to an API client for itself. */
export function isClientToken({ subject, clientId }: CheckedToken): boolean {
  return isClientId(subject) && subject === clientId
}
