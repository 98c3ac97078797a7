import type { Place, StoreName } from '../torture/place.ts'
import type { OwnerLogin } from './owner.ts'

/** One line of the table: a number that was measured, and what it must be. */
export interface Result {
  readonly what: string
  readonly measured: string
  readonly expected: string
  readonly ok: boolean
}

/** An attack on real servers. */
export interface Attack {
  readonly name: string
  /** What the attacker does. */
  readonly description: string
  /** @param scale 1 for the full counts, less for a short run */
  run(place: Place, store: StoreName, scale: number): Promise<Result[]>
}

/** A result that must be at most a limit. */
export function atMost(what: string, measured: number, limit: number, unit = ''): Result {
  return { what, measured: `${measured}${unit}`, expected: `at most ${limit}${unit}`, ok: measured <= limit }
}

/** A result that must be at least a limit, so that the attack was one. */
export function atLeast(what: string, measured: number, limit: number, unit = ''): Result {
  return { what, measured: `${measured}${unit}`, expected: `at least ${limit}${unit}`, ok: measured >= limit }
}

/** A result that must be this value. */
export function exactly(what: string, measured: string | number, expected: string | number): Result {
  return { what, measured: `${measured}`, expected: `${expected}`, ok: measured === expected }
}

/**
 * The log-ins of the owner on a known device during the attack. The short run shares its machine
 * with other tests.
 */
export function ownerResults(logins: readonly OwnerLogin[], scale: number): Result[] {
  const took = logins.map((login) => login.took)
  const statuses = new Set(logins.map(({ status }) => status))
  return [
    exactly('the owner on a known device: statuses', [...statuses].join(), '200'),
    atMost(
      `the owner on a known device: slowest of ${took.length}`,
      Math.round(Math.max(...took)),
      scale < 0.1 ? 10_000 : 2000,
      ' ms',
    ),
  ]
}
