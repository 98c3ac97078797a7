import { Done } from '../components/seal.tsx'
import type { Step, Task } from './step.ts'

/** A step with its tasks. Nothing is locked: every task can be done at any time. */
export function StepView({
  step,
  done,
  onDone,
}: {
  step: Step
  done: readonly string[]
  onDone: (task: string) => void
}) {
  return (
    <>
      {step.text}
      {step.tasks.map((task) => (
        <TaskView key={task.id} task={task} isDone={done.includes(task.id)} onDone={() => onDone(task.id)} />
      ))}
    </>
  )
}

function TaskView({ task, isDone, onDone }: { task: Task; isDone: boolean; onDone: () => void }) {
  const { Live } = task
  return (
    <section class="task" data-done={isDone} data-task={task.id} aria-labelledby={`task-${task.id}`}>
      <h2 id={`task-${task.id}`}>
        {task.title} {isDone && <Done />}
      </h2>
      {task.text}
      <Live done={onDone} isDone={isDone} />
      <div aria-live="polite">{isDone && <div class="unfold">{task.afterwards}</div>}</div>
    </section>
  )
}
