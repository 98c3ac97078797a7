import type { Failure } from './protocol.ts'

/** What the code of the reader did in one case, and whether that is right. */
export interface Verdict {
  /** Undefined if it does not count: see {@link discount}. */
  readonly right: boolean | undefined
  /** Continues the sentence "Your code …". */
  readonly words: string
}

/** One row of the table under an exercise. */
export interface Row {
  readonly name: string
  /** What was tried: a token, or a header. Empty if there is nothing to show. */
  readonly shown: string
  readonly expected: string
  /** Undefined if the run was stopped before. */
  readonly verdict: Verdict | undefined
}

/**
 * Code that refuses everything would be right in most cases. So refusals count only if the first
 * case, which is to be accepted, is right.
 */
export function discount(verdicts: readonly (Verdict | undefined)[]): readonly (Verdict | undefined)[] {
  if (verdicts[0]?.right) return verdicts
  return verdicts.map((verdict) =>
    verdict?.right ? { right: undefined, words: `${verdict.words}, but so was the good one` } : verdict,
  )
}

/**
 * A misspelled name throws a ReferenceError. That is a mistake in the code, even where a refusal is
 * expected.
 *
 * @returns undefined for an error that may be a refusal
 */
export function accident(
  { name, message, lines }: Failure,
  lineOf: (line: number | undefined) => number | undefined,
): Verdict | undefined {
  if (name !== 'ReferenceError') return undefined
  return { right: false, words: `failed with “${message}”${atLine(lines, lineOf)}` }
}

/** ` (line 3)`, or nothing if the error has no line in the code of the reader. */
export function atLine(lines: readonly number[], lineOf: (line: number | undefined) => number | undefined): string {
  const line = lines.map(lineOf).find((one) => one !== undefined)
  return line === undefined ? '' : ` (line ${line})`
}
