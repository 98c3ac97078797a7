import type { VerificationKeys } from '@sealwax/jwt'
import { GuardError, type GuardErrorCode } from './errors.ts'
import type { Trust } from './trust.ts'

/** Refusals that say: this was not signed by a key of ours. */
const FOREIGN: ReadonlySet<string> = new Set<GuardErrorCode>([
  ...(['token_key_unknown', 'token_algorithm_not_allowed', 'token_signature_invalid'] as const),
])

/**
 * After a token was refused because of the keys, tries it once with newer ones: an issuer may have put another key under the same `kid`, or under none. The
 * source of the keys limits how often it looks.
 * @param keys those that the token was refused with @param again what to do with newer ones
 */
export function withNewerKeys<T>(
  { newerThan }: Trust,
  keys: VerificationKeys,
  error: unknown,
  again: (newer: VerificationKeys) => T | Promise<T>,
): T | Promise<T> {
  if (!isForeign(error)) throw error
  const newer = newerThan(keys)
  if (newer === undefined) throw error
  const tryOnce = (found: VerificationKeys) => {
    if (found === keys) throw error
    return again(found)
  }
  if (!(newer instanceof Promise)) return tryOnce(newer)
  return newer.catch(() => keys).then(tryOnce)
}

/** Runs something, and `rescue` with what it throws or rejects with. Without a promise where there is none. */
export function rescued<T>(run: () => T | Promise<T>, rescue: (error: unknown) => T | Promise<T>): T | Promise<T> {
  try {
    const result = run()
    return result instanceof Promise ? result.catch(rescue) : result
  } catch (error) {
    return rescue(error)
  }
}

export function isForeign(error: unknown): boolean {
  return error instanceof GuardError && FOREIGN.has(error.code)
}

/** Whether other keys might verify the token. */
export function isAboutKeys(error: unknown): boolean {
  return isForeign(error) || (error instanceof GuardError && error.code === 'keys_unavailable')
}
