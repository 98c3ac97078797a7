import { LIMIT_MS, lineOfCode, runInSandbox, type Stop } from './sandbox.ts'
import { discount, type Verdict } from './verdict.ts'

/** The verdicts on a run, one for each case; undefined for a case that was not tried. */
export interface Trial<Outcome> {
  readonly verdicts: readonly (Verdict | undefined)[]
  readonly outcomes: readonly Outcome[]
  /** Why the run ended early, as a sentence. */
  readonly stop: string | undefined
}

/** How a line of the whole script is found in the code of the reader. */
export type LineOf = (line: number | undefined) => number | undefined

/** Runs the code of the reader in the sandbox and judges what it did in each case. */
export async function tryCode<Case, Outcome>(
  before: string,
  code: string,
  cases: readonly Case[],
  judge: (one: Case, outcome: Outcome, lineOf: LineOf) => Verdict,
): Promise<Trial<Outcome>> {
  const lineOf: LineOf = (line) => lineOfCode(before, line)
  const { outcomes, stop } = await runInSandbox<Outcome>(before, code, cases)
  const verdicts = cases.map((one, index) => {
    const outcome = outcomes[index]
    if (outcome !== undefined) return judge(one, outcome, lineOf)
    if (stop?.reason !== 'time' || index > outcomes.length) return undefined
    return { right: false, words: 'did not finish, and was stopped' }
  })
  return { verdicts: discount(verdicts), outcomes, stop: stop && sentence(stop, lineOf) }
}

function sentence(stop: Stop, lineOf: LineOf): string {
  if (stop.reason === 'absent') return 'The sandbox did not load. Is the lesson still running?'
  if (stop.reason === 'time')
    return `Your code took longer than ${LIMIT_MS / 1000} second and was stopped. Is there a loop that never ends?`
  const line = lineOf(stop.line)
  return `Your code does not run. ${stop.message}${line === undefined ? '' : ` (line ${line})`}`
}
