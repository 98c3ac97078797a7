import { useEffect, useRef, useState } from 'preact/hooks'
import { type Progress, useProgress } from './progress.ts'
import type { Step } from './step.ts'
import { StepView } from './step-view.tsx'
import { steps } from './steps.ts'

/** The lesson: a list of the steps, and the step that the fragment of the address names. */
export function Lesson() {
  const step = useStep()
  const { progress, finish, forget } = useProgress()
  const index = steps.indexOf(step)
  const heading = useRef<HTMLHeadingElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${step.title} · Learn JWT authentication · Sealwax`
    if (!isFirst.current) {
      scrollTo(0, 0)
      heading.current?.focus({ preventScroll: true })
    }
    isFirst.current = false
  }, [step])
  const [before, after] = [steps[index - 1], steps[index + 1]]
  return (
    <div class="lesson">
      <aside>
        <StepList current={step} progress={progress} />
        <p class="hint">
          <a href="./learn/text">The whole text on one page</a>
        </p>
        <button type="button" class="secondary small" onClick={forget}>
          Forget my progress
        </button>
      </aside>
      <article>
        <p class="hint">
          Step {index + 1} of {steps.length}
        </p>
        <h1 tabIndex={-1} ref={heading}>
          {step.title}
        </h1>
        <StepView key={step.id} step={step} done={progress[step.id] ?? []} onDone={(task) => finish(step.id, task)} />
        <nav class="row" aria-label="Steps before and after">
          {before && (
            <a class="button secondary" href={`#${before.id}`}>
              Back: {before.title}
            </a>
          )}
          {after && (
            <a class="button" href={`#${after.id}`}>
              Next: {after.title}
            </a>
          )}
        </nav>
      </article>
    </div>
  )
}

function StepList({ current, progress }: { current: Step; progress: Progress }) {
  return (
    <nav aria-label="Steps">
      <ol class="steps">
        {steps.map((step, index) => {
          const isDone = step.tasks.every(({ id }) => progress[step.id]?.includes(id))
          return (
            <li key={step.id}>
              <a href={`#${step.id}`} aria-current={step === current ? 'step' : undefined}>
                <span>{index + 1}</span>
                <span>{step.title}</span>
                {isDone && (
                  <span class="tick">
                    <span aria-hidden="true">✓</span>
                    <span class="visually-hidden">done</span>
                  </span>
                )}
              </a>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

function useStep(): Step {
  const read = () => steps.find(({ id }) => location.hash === `#${id}`) ?? (steps[0] as Step)
  const [step, setStep] = useState(read)
  useEffect(() => {
    const update = () => setStep(read())
    addEventListener('hashchange', update)
    return () => removeEventListener('hashchange', update)
  }, [])
  return step
}
