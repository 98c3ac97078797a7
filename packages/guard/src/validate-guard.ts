import { describeValue } from '@sealwax/jwt/internal'

/**
 * Checks the first argument of `protect`, so that a mistake is reported when the program starts.
 * @throws {TypeError} if it is not a guard
 */
export function validateGuard(guard: unknown): void {
  if (typeof (guard as { authenticate?: unknown } | null | undefined)?.authenticate === 'function') return
  throw new TypeError(`protect: the first argument must be a guard, as createGuard returns (got ${describe(guard)})`)
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined; if it is from createAuth, write await before createAuth'
  if (value instanceof Promise) return 'a promise: write await before it'
  const isServer = typeof value === 'object' && value !== null && 'guard' in value
  return isServer ? 'an object with a guard: write protect(auth.guard)' : describeValue(value)
}
