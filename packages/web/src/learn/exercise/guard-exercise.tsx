import type { LiveProps } from '../step.ts'
import { judgeGuard, makeGuardCases } from './guard-cases.ts'
import { GUARD_SOLUTION, GUARD_START } from './guard-code.ts'
import { guardHints } from './guard-hints.tsx'
import { tryCode } from './trial.ts'
import { type Exercise, type Result, Workbench } from './workbench.tsx'

/** The second exercise: a guard for Hono. */
export function GuardExercise(props: LiveProps) {
  return <Workbench exercise={exercise} {...props} />
}

const exercise: Exercise = {
  ...{ name: 'guard', start: GUARD_START, solution: GUARD_SOLUTION, hints: guardHints },
  ...{ tried: 'Authorization', run },
}

async function run(code: string): Promise<Result> {
  const [{ script }, cases] = await Promise.all([
    import('./guard-worker.ts?script'),
    makeGuardCases(Math.floor(Date.now() / 1000)),
  ])
  const { verdicts, stop } = await tryCode(script, code, cases, judgeGuard)
  const rows = cases.map(({ name, authorization = '', user }, index) => ({
    ...{ name, shown: authorization, verdict: verdicts[index] },
    expected: user === undefined ? '401 with WWW-Authenticate' : '200 with the user',
  }))
  return { rows, stop }
}
