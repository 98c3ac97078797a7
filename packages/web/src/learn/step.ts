import type { ComponentChildren, FunctionComponent } from 'preact'

/** Something that the reader does in a step, and that the page notices by itself. */
export interface Task {
  /** Unique in its step. */
  readonly id: string
  /** What to do, as a sentence in the imperative: `Log in as Ada`. */
  readonly title: string
  /** The explanation before it. Also on the printed page. */
  readonly text: ComponentChildren
  /** The part that works. It calls `done` when the reader did it; not on the printed page. */
  readonly Live: FunctionComponent<LiveProps>
  /** What the live part shows, for the printed page. */
  readonly Printed?: FunctionComponent
  /** What was to be seen. Unfolds when the task is done; on the printed page it is always there. */
  readonly afterwards: ComponentChildren
}

/** What a live part gets. */
export interface LiveProps {
  /** Marks the task as done. Calling it again has no effect. */
  readonly done: () => void
  readonly isDone: boolean
}

/** One step of the lesson. */
export interface Step {
  /** Its address is `#id`. */
  readonly id: string
  readonly title: string
  /** The text before the tasks. */
  readonly text: ComponentChildren
  readonly tasks: readonly Task[]
}
