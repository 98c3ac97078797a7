import type { VerificationKeys } from '@sealwax/jwt'
import { GuardError, type GuardErrorCode } from '../errors.ts'
import type { Trust } from '../trust.ts'
import { andThen, type ValueOrPromise } from '../value-or-promise.ts'

/** Refusals of tokens that were not signed with any of the current keys. */
const FOREIGN: ReadonlySet<string> = new Set<GuardErrorCode>([
  ...(['token_key_unknown', 'token_algorithm_not_allowed', 'token_signature_invalid'] as const),
])

/**
 * Retries a token that was refused because of the keys once with newer ones: an issuer may have
 * replaced a key under the same `kid`, or under none. The source of the keys limits how often it
 * fetches.
 * @param keys the keys that the token was refused with
 * @param again called with newer keys
 */
export function withNewerKeys<T>(
  { newerThan }: Trust,
  keys: VerificationKeys,
  error: unknown,
  again: (newer: VerificationKeys) => ValueOrPromise<T>,
): ValueOrPromise<T> {
  if (!isForeign(error)) throw error
  const newer = newerThan(keys)
  if (newer === undefined) throw error
  const found = newer instanceof Promise ? newer.catch(() => keys) : newer
  return andThen(found, tryOnce, { keys, error, again })
}

interface Retry<T> {
  readonly keys: VerificationKeys
  readonly error: unknown
  readonly again: (newer: VerificationKeys) => ValueOrPromise<T>
}

function tryOnce<T>(found: VerificationKeys, { keys, error, again }: Retry<T>): ValueOrPromise<T> {
  if (found === keys) throw error
  return again(found)
}

/** Whether a token was refused because no key of the set made its signature. */
export function isForeign(error: unknown): boolean {
  return error instanceof GuardError && FOREIGN.has(error.code)
}

/** Whether other keys might verify the token. */
export function isAboutKeys(error: unknown): boolean {
  return isForeign(error) || (error instanceof GuardError && error.code === 'keys_unavailable')
}
