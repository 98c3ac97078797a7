import type { Context } from './context.ts'

/**
 * Rows deleted per transaction, so that neither the event loop nor the write lock is held for long.
 */
const PAGE = 100
/** The pause between two transactions, as a multiple of the last one's duration, and its bounds. */
const REST = 3
const [LEAST_REST_MS, LONGEST_REST_MS] = [5, 100]

/** Deletes the audit rows that are older than `auditRetention`. */
export async function purgeAudit(
  {
    store,
    now,
    config,
  }: Pick<Context, 'store' | 'now'> & { readonly config: Pick<Context['config'], 'auditRetention'> },
  signal: AbortSignal,
): Promise<void> {
  const before = now() - config.auditRetention
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.audit.purge(before, limit)))
}

/** Calls `purge` until it returns 0. It must return how many rows it deleted, at most `limit`. */
export async function purgeInPages(signal: AbortSignal, purge: (limit: number) => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    if ((await purge(PAGE)) === 0) return
    const rest = Math.min(Math.max(LEAST_REST_MS, REST * (performance.now() - began)), LONGEST_REST_MS)
    await pause(rest, signal)
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
