import type { Config } from '../options.ts'
import type { Context } from './context.ts'

const DAY = 24 * 60 * 60_000
/** Ended and expired sessions stay so long, for those who ask what happened. */
const SESSION_RETENTION = 30 * DAY

/** The most rows that one unit deletes: neither the event loop nor the write lock is held for long, and no statement outlasts its limit. */
const PAGE = 100
/** Between two units everybody else has so many times as long as the last one took, within these limits. */
const REST = 3
const [LEAST_REST_MS, LONGEST_REST_MS] = [5, 100]

type Purging = Pick<Context, 'store' | 'now'>

/** Forgets the revocations that no living token can meet any more, and the versions that went with them. */
export async function purgeRevocations({ store, now }: Purging, signal: AbortSignal): Promise<void> {
  const seconds = Math.floor(now() / 1000)
  await inPages(signal, () => store.transaction((facts) => facts.revocations.purge(seconds, PAGE)))
  await inPages(signal, () => store.transaction((facts) => facts.subjectVersions.purge(seconds, PAGE)))
}

/** Forgets the sessions that ended, or expired, long ago. */
export async function purgeSessions({ store, now }: Purging, signal: AbortSignal): Promise<void> {
  const before = now() - SESSION_RETENTION
  await inPages(signal, () => store.transaction((facts) => facts.sessions.purge(before, PAGE)))
}

/** Deletes the audit rows that are older than `auditRetention`. */
export async function purgeAudit(
  { store, now, config }: Purging & { readonly config: Pick<Config, 'auditRetention'> },
  signal: AbortSignal,
): Promise<void> {
  const before = now() - config.auditRetention
  await inPages(signal, () => store.transaction((facts) => facts.audit.purge(before, PAGE)))
}

async function inPages(signal: AbortSignal, purge: () => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    if ((await purge()) === 0) return
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
