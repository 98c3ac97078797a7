import type { LiveProps } from '../step.ts'
import { tryCode } from './trial.ts'
import { judgeComparison, judgeVerifier, makeVerifierCases } from './verifier-cases.ts'
import { VERIFIER_SOLUTION, VERIFIER_START } from './verifier-code.ts'
import { verifierHints } from './verifier-hints.tsx'
import { type Exercise, type Result, Workbench } from './workbench.tsx'

/** The first exercise: a verifier of HS256. */
export function VerifierExercise(props: LiveProps) {
  return <Workbench exercise={exercise} {...props} />
}

const exercise: Exercise = {
  ...{ name: 'verifier', start: VERIFIER_START, solution: VERIFIER_SOLUTION, hints: verifierHints },
  ...{ tried: 'Token', run },
}

async function run(code: string): Promise<Result> {
  const [{ script }, cases] = await Promise.all([
    import('./verifier-worker.ts?script'),
    makeVerifierCases(Math.floor(Date.now() / 1000)),
  ])
  const { verdicts, outcomes, stop } = await tryCode(script, code, cases, judgeVerifier)
  const rows = cases.map(({ name, token, claims }, index) => ({
    ...{ name, shown: token, verdict: verdicts[index] },
    expected: claims === undefined ? 'refused' : 'accepted, and its claims returned',
  }))
  const [good, outcome] = [cases[0], outcomes[0]]
  const comparison = {
    ...{ name: 'How the signatures are compared', shown: '', expected: 'with equal' },
    verdict: good && outcome && judgeComparison(good, outcome),
  }
  return { rows: [...rows, comparison], stop }
}
