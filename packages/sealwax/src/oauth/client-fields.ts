import { type Duration, toSeconds } from '@sealwax/jwt'
import { AuthError } from '../errors.ts'

const LONGEST_OVERLAP = 90 * 24 * 3_600_000

/**
 * Checks the name of a client.
 *
 * @throws {AuthError} `validation_failed`
 */
export function checkName(name: unknown): string {
  if (typeof name !== 'string' || !/^[^\p{C}]{1,128}$/u.test(name) || name.trim() === '') {
    throw new AuthError('validation_failed', 'name must be 1 to 128 characters without control characters')
  }
  return name
}

/**
 * Checks scopes, and removes duplicates.
 *
 * @throws {AuthError} `validation_failed`
 */
export function checkScopes(scopes: unknown): readonly string[] {
  const valid =
    Array.isArray(scopes) &&
    scopes.length <= 64 &&
    scopes.every((scope) => typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(scope))
  if (!valid) {
    throw new AuthError(
      'validation_failed',
      'scopes must be at most 64 names of 1 to 64 printable ASCII characters without space, quote and backslash',
    )
  }
  return [...new Set(scopes as string[])]
}

/**
 * Returns an overlap in milliseconds.
 *
 * @throws {AuthError} `validation_failed`
 */
export function checkOverlap(overlap: number | string): number {
  let milliseconds = -1
  try {
    milliseconds = toSeconds(overlap as Duration) * 1000
  } catch {
    // Refused below.
  }
  if (milliseconds < 0 || milliseconds > LONGEST_OVERLAP) {
    throw new AuthError(
      'validation_failed',
      "overlap must be a number of seconds or a duration such as '24h', at most 90 days",
    )
  }
  return milliseconds
}
