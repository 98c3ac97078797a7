import type { Context, Job } from './context.ts'

/**
 * Starts the jobs of all features. Their timers do not keep the process alive.
 *
 * @returns a function that stops them and waits for running ones
 */
export function startJobs(context: Context): () => Promise<void> {
  const jobs = context.features.flatMap((feature) => feature.jobs ?? [])
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
  for (const job of jobs) if (job.first) start(job)
  const timers = jobs.map((job) => setInterval(start, job.period, job).unref())
  return async () => {
    for (const timer of timers) clearInterval(timer)
    closing.abort()
    await Promise.all(running.values())
  }
}
