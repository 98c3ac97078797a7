import { useEffect, useState } from 'preact/hooks'
import { Done } from '../components/seal.tsx'
import { countDone, type Progress } from './progress.ts'
import type { Step } from './step.ts'
import { steps } from './steps.ts'

/** From this width on, the list of steps is beside the text. The stylesheet has the same number. */
const WIDE = '(min-width: 60rem)'

/** The list of the steps, with the progress: beside the text, or on a phone folded up above it. */
export function Contents({ current, progress, onForget }: { current: Step; progress: Progress; onForget: () => void }) {
  const isWide = useMedia(WIDE)
  const content = (
    <>
      <StepList current={current} progress={progress} />
      <ProgressLine progress={progress} onForget={onForget} />
      <p class="hint">
        <a href="./learn/text">The whole text on one page</a>, for reading and printing
      </p>
    </>
  )
  if (isWide) return content
  return (
    // Choosing a step folds it up again.
    <details key={current.id} class="contents">
      <summary>All steps</summary>
      {content}
    </details>
  )
}

function StepList({ current, progress }: { current: Step; progress: Progress }) {
  return (
    <nav aria-label="Steps">
      <ol class="steps">
        {steps.map((step, index) => (
          <li key={step.id}>
            <a href={`#${step.id}`} aria-current={step === current ? 'step' : undefined}>
              <span class="number">{index + 1}</span>
              <span>{step.title}</span>
              {countDone(step, progress) === step.tasks.length && <Done />}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  )
}

function ProgressLine({ progress, onForget }: { progress: Progress; onForget: () => void }) {
  const [isForgotten, setForgotten] = useState(false)
  const all = steps.reduce((sum, { tasks }) => sum + tasks.length, 0)
  const done = steps.reduce((sum, step) => sum + countDone(step, progress), 0)
  const forget = () => {
    onForget()
    setForgotten(true)
  }
  return (
    <div class="progress">
      <progress max={all} value={done} aria-label="Tasks done" />
      <p class="hint">
        {done} of {all} tasks done
      </p>
      <button type="button" class="secondary small" onClick={forget} disabled={done === 0}>
        Forget my progress
      </button>
      <span class="visually-hidden" role="status">
        {isForgotten && done === 0 && 'Your progress is forgotten.'}
      </span>
    </div>
  )
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const update = () => setMatches(list.matches)
    list.addEventListener('change', update)
    return () => list.removeEventListener('change', update)
  }, [query])
  return matches
}
