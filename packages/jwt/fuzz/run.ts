import type { Judge, Verdict } from './judges.ts'
import { fastJwt, jose, jsonWebToken, ours } from './judges.ts'
import { makeToken } from './mutations.ts'
import { createRandom } from './random.ts'

/** The cases to run: `from` up to, but not including, `to`. */
export interface FuzzRange {
  seed: number
  from: number
  to: number
}

/** A case that breaks an invariant. */
interface Violation {
  case: number
  token: string
  what: string
}

/** The result of a run. Every library verifies every case. */
export interface FuzzReport {
  cases: number
  accepted: { sealwax: number; jose: number; jsonwebtoken: number; 'fast-jwt': number }
  /** Tokens that jose accepts and we refuse, by our error code. */
  stricter: Record<string, number>
  /** Our refusals, by code. */
  refused: Record<string, number>
  /**
   * Our slowest verification of a token of at most 8 KiB, in milliseconds. Of a repeated one, the
   * fastest repetition counts.
   */
  slowest: { case: number; milliseconds: number }
  violations: Violation[]
}

/**
 * In milliseconds. Slower verifications are repeated, since usually it was the machine that was
 * slow.
 */
const suspicious = 1
/** In milliseconds, for a token of at most 8 KiB. */
export const timeLimit = 5
const limitedLength = 8192

const emptyReport = (): FuzzReport => ({
  cases: 0,
  accepted: { sealwax: 0, jose: 0, jsonwebtoken: 0, 'fast-jwt': 0 },
  stricter: {},
  refused: {},
  slowest: { case: -1, milliseconds: 0 },
  violations: [],
})

/** The token of a case, and whether it is verified with all options or only with keys and times. */
export function caseOf(seed: number, index: number): { token: string; strict: boolean } {
  const random = createRandom(seed, index)
  return { strict: random.chance(80), token: makeToken(random) }
}

/**
 * Runs the cases. The invariants: our verifier throws nothing but refusals, decides within {@link
 * timeLimit}, and every token that it accepts is also accepted by jose, with the same claims.
 *
 * @param judge Our verifier. A run with another one shows that the invariants can fail.
 */
export async function runCases({ seed, from, to }: FuzzRange, judge: Judge = ours): Promise<FuzzReport> {
  const report = emptyReport()
  for (let index = from; index < to; index++) {
    const { token, strict } = caseOf(seed, index)
    const fault = (what: string) => report.violations.push({ case: index, token, what })
    const verdict = await timed(report, index, token, strict, judge, fault)
    const theirs = await jose(token, strict)
    report.cases++
    if ('claims' in theirs) report.accepted.jose++
    if ('claims' in (await jsonWebToken(token, strict))) report.accepted.jsonwebtoken++
    if ('claims' in (await fastJwt(token, strict))) report.accepted['fast-jwt']++
    if (verdict === undefined) continue
    if ('refused' in verdict) {
      count(report.refused, verdict.refused)
      if ('claims' in theirs) count(report.stricter, verdict.refused)
      continue
    }
    report.accepted.sealwax++
    if ('refused' in theirs) fault(`accepted, and jose refuses it: ${theirs.refused}`)
    else if (JSON.stringify(verdict.claims) !== JSON.stringify(theirs.claims)) fault('jose reads other claims')
  }
  return report
}

/** Times our verifier. A slow verification is repeated up to ten times, and the fastest counts. */
async function timed(
  report: FuzzReport,
  index: number,
  token: string,
  strict: boolean,
  judge: Judge,
  fault: (what: string) => void,
): Promise<Verdict | undefined> {
  const ask = async () => {
    const started = performance.now()
    const answer = judge(token, strict)
    const milliseconds = performance.now() - started
    return { verdict: await answer, milliseconds }
  }
  try {
    let { verdict, milliseconds } = await ask()
    if (token.length > limitedLength || milliseconds <= report.slowest.milliseconds) return verdict
    for (let i = 0; i < 10 && milliseconds > suspicious; i++)
      milliseconds = Math.min(milliseconds, (await ask()).milliseconds)
    if (milliseconds > report.slowest.milliseconds) report.slowest = { case: index, milliseconds }
    if (milliseconds > timeLimit) fault(`took ${milliseconds.toFixed(1)} ms`)
    return verdict
  } catch (error) {
    fault(`threw ${String(error)}`)
    return undefined
  }
}

function count(table: Record<string, number>, name: string, times = 1): void {
  table[name] = (table[name] ?? 0) + times
}

/** Adds up the reports of several workers. */
export function mergeReports(reports: readonly FuzzReport[]): FuzzReport {
  const total = emptyReport()
  for (const report of reports) {
    total.cases += report.cases
    for (const name of Object.keys(total.accepted) as (keyof FuzzReport['accepted'])[]) {
      total.accepted[name] += report.accepted[name]
    }
    for (const table of ['stricter', 'refused'] as const) {
      for (const [code, times] of Object.entries(report[table])) count(total[table], code, times)
    }
    if (report.slowest.milliseconds > total.slowest.milliseconds) total.slowest = report.slowest
    total.violations.push(...report.violations)
  }
  return total
}
