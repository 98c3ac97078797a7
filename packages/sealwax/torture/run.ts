import { type Random, seeded } from './random.ts'

/** How often something is done: in a full run, and in the short run that is part of `npm test`. */
export interface Times {
  readonly full: number
  readonly short: number
}

/** The state of a running suite: its random choices, counts and violations. */
export interface Run {
  readonly seed: number
  readonly random: Random
  /** How often, at the scale of this run. In a full run at least once. */
  times(times: Times): number
  count(what: string, by?: number): void
  /** Records a violation unless `holds` is true. The suite continues. */
  check(holds: boolean, otherwise: string): void
  /**
   * Records something that this machine cannot do. `npm test` skips the test and prints the reason;
   * a full run fails.
   */
  skip(reason: string): void
  readonly counts: ReadonlyMap<string, number>
  readonly violations: readonly string[]
  readonly skipped: readonly string[]
}

/** @param scale 'short', or the fraction of the full counts. */
export function createRun({ seed, scale }: { seed: number; scale: number | 'short' }): Run {
  const counts = new Map<string, number>()
  const violations: string[] = []
  const skipped: string[] = []
  return {
    ...{ seed, random: seeded(seed), counts, violations, skipped },
    times: ({ full, short }) => (scale === 'short' ? short : Math.max(1, Math.round(full * scale))),
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    check(holds, otherwise) {
      if (!holds) violations.push(otherwise)
    },
    skip: (reason) => void skipped.push(reason),
  }
}
