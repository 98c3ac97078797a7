import { typeName } from './strict-options.ts'

/**
 * Checks the first argument of `protect`, so that a mistake shows when the program starts.
 * @throws {TypeError} for what is not a guard
 */
export function validateGuard(guard: unknown): void {
  if (typeof (guard as { authenticate?: unknown } | null | undefined)?.authenticate === 'function') return
  const hint =
    guard instanceof Promise
      ? 'a promise: write await before it'
      : typeof guard === 'object' && guard !== null && 'guard' in guard
        ? 'an object with a guard: write protect(auth.guard)'
        : guard === undefined
          ? 'undefined; if it is from createAuth, write await before createAuth'
          : typeName(guard)
  throw new TypeError(`protect: the first argument must be a guard, as createGuard returns (got ${hint})`)
}
