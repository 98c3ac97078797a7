import { useState } from 'preact/hooks'
import { forgetStored, readStored, store } from '../storage.ts'
import type { Step } from './step.ts'

const KEY = 'sealwax-lesson'

/** The code of an exercise is kept under this and the name of the exercise. */
export const CODE_KEY = `${KEY}-code-`

/** The tasks that are done, by step. */
export type Progress = Readonly<Record<string, readonly string[]>>

/** How many tasks of a step are done. */
export function countDone({ id, tasks }: Step, progress: Progress): number {
  return tasks.filter((task) => progress[id]?.includes(task.id)).length
}

/** The progress of the reader, kept in this browser only. */
export function useProgress(): {
  progress: Progress
  finish(step: string, task: string): void
  forget(): void
} {
  const [progress, setProgress] = useState<Progress>(read)
  const keep = (change: (before: Progress) => Progress) =>
    setProgress((before) => {
      const after = change(before)
      store(KEY, JSON.stringify(after))
      return after
    })
  return {
    progress,
    finish(step, task) {
      keep((before) => {
        const done = before[step] ?? []
        return done.includes(task) ? before : { ...before, [step]: [...done, task] }
      })
    },
    forget() {
      forgetStored(CODE_KEY)
      keep(() => ({}))
    },
  }
}

/** What is stored may come from an older version, or from someone else's hands. */
function read(): Progress {
  try {
    const stored: unknown = JSON.parse(readStored(KEY) ?? '{}')
    if (typeof stored !== 'object' || stored === null) return {}
    return Object.fromEntries(
      Object.entries(stored).flatMap(([step, tasks]) =>
        Array.isArray(tasks) ? [[step, tasks.filter((task) => typeof task === 'string')]] : [],
      ),
    )
  } catch {
    return {}
  }
}
