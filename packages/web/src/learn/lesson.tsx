import { useEffect, useRef, useState } from 'preact/hooks'
import { Contents } from './contents.tsx'
import { countDone, useProgress } from './progress.ts'
import type { Step } from './step.ts'
import { StepView } from './step-view.tsx'
import { steps } from './steps.ts'

/** The lesson: a list of the steps, and the step that the fragment of the address names. */
export function Lesson() {
  const step = useStep()
  const { progress, finish, forget } = useProgress()
  const [forgotten, setForgotten] = useState(0)
  const heading = useHeading(step)
  const done = progress[step.id] ?? []
  return (
    <div class="lesson">
      <aside>
        <Contents
          current={step}
          progress={progress}
          onForget={() => {
            forget()
            setForgotten(forgotten + 1)
          }}
        />
      </aside>
      <article>
        <p class="rubric">
          Step {steps.indexOf(step) + 1} of {steps.length}
        </p>
        <h1 tabIndex={-1} ref={heading}>
          {step.title}
        </h1>
        {/* A step that is shown again, or whose progress is forgotten, starts anew. */}
        <StepView key={`${step.id} ${forgotten}`} step={step} done={done} onDone={(task) => finish(step.id, task)} />
        <Turn step={step} left={step.tasks.length - countDone(step, progress)} />
      </article>
    </div>
  )
}

/** The end of a step: what is left to do in it, and the ways to its neighbours. */
function Turn({ step, left }: { step: Step; left: number }) {
  const index = steps.indexOf(step)
  const [before, after] = [steps[index - 1], steps[index + 1]]
  return (
    <nav class="turn" aria-label="Steps before and after">
      <p class="hint">{left === 0 ? 'You have done everything in this step.' : leftToDo(left)}</p>
      {after ? (
        <a class="button next" href={`#${after.id}`}>
          <span>Next</span> {after.title}
        </a>
      ) : (
        <a class="button next" href={`#${steps[0]?.id}`}>
          <span>From the beginning</span> {steps[0]?.title}
        </a>
      )}
      {before && (
        <a class="before" href={`#${before.id}`}>
          Back: {before.title}
        </a>
      )}
    </nav>
  )
}

function leftToDo(left: number): string {
  return left === 1
    ? 'One task of this step is left. You can do it now or later.'
    : `${left} tasks of this step are left. You can do them now or later.`
}

/** The step that the address names; the first one without a name. */
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

/** Names the page after the step. Another step begins at its heading, for eyes and screen readers. */
function useHeading(step: Step) {
  const heading = useRef<HTMLHeadingElement>(null)
  const shown = useRef<Step>(undefined)
  useEffect(() => {
    document.title = `${step.title} · Learn JWT authentication · Sealwax`
    if (shown.current !== undefined && shown.current !== step) {
      scrollTo(0, 0)
      heading.current?.focus({ preventScroll: true })
    }
    shown.current = step
  }, [step])
  return heading
}
