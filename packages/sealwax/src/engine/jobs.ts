import type { Context } from './context.ts'

interface Job {
  readonly name: string
  /** Milliseconds between two runs. */
  readonly period: number
  run(context: Context): Promise<unknown>
}

const HOUR = 3_600_000
/** Ended and expired sessions stay so long, for those who ask what happened. */
const SESSION_RETENTION = 30 * 24 * HOUR

/** What the engine does by itself. Each may run in any number of processes at once. */
const JOBS: readonly Job[] = [
  {
    name: 'purge revocations',
    period: HOUR,
    run: ({ store, now }) => store.transaction((facts) => facts.revocations.purge(Math.floor(now() / 1000))),
  },
  {
    name: 'purge sessions',
    period: HOUR,
    run: ({ store, now }) => store.transaction((facts) => facts.sessions.purge(now() - SESSION_RETENTION)),
  },
]

/** Starts the jobs; they keep no process alive. Answers what stops them. */
export function startJobs(context: Context): () => void {
  const timers = JOBS.map((job) =>
    setInterval(() => {
      Promise.resolve(job.run(context)).catch((error) => context.log.error({ err: error, job: job.name }, 'job failed'))
    }, job.period).unref(),
  )
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
