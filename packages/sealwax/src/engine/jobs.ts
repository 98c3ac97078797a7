import type { Context } from './context.ts'
import { tendKeys } from './keys.ts'
import { purgeAudit, purgeRevocations, purgeSessions } from './purge.ts'
import { rewrapSecrets } from './wrapping.ts'

interface Job {
  readonly name: string
  /** Milliseconds between two runs. */
  readonly period: number
  /** Whether it also runs at the start. */
  readonly first?: true
  /** A long one ends early when `signal` says that the server closes. */
  run(context: Context, signal: AbortSignal): Promise<unknown>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What the engine does by itself. Each may run in any number of processes at once. */
const JOBS: readonly Job[] = [
  { name: 'tend signing keys', period: MINUTE, run: tendKeys },
  { name: 'rewrap secrets', period: MINUTE, first: true, run: rewrapSecrets },
  { name: 'purge revocations', period: HOUR, run: purgeRevocations },
  { name: 'purge sessions', period: HOUR, run: purgeSessions },
  { name: 'purge audit', period: HOUR, run: purgeAudit },
]

/** Starts the jobs; they keep no process alive. Answers what stops them and waits for those under way. */
export function startJobs(context: Context): () => Promise<void> {
  const closing = new AbortController()
  const running = new Map<Job, Promise<void>>()
  const start = (job: Job) => {
    if (running.has(job)) return
    const done = job
      .run(context, closing.signal)
      .catch((error) => context.log.error({ err: error, job: job.name }, 'job failed'))
      .finally(() => running.delete(job))
    running.set(job, done as Promise<void>)
  }
  for (const job of JOBS) if (job.first) start(job)
  const timers = JOBS.map((job) => setInterval(start, job.period, job).unref())
  return async () => {
    for (const timer of timers) clearInterval(timer)
    closing.abort()
    await Promise.all(running.values())
  }
}
