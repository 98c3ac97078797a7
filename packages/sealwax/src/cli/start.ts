import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../engine/context.ts'
import { AuthError } from '../errors.ts'
import { isAboutConnection, translateAtOpening } from '../store/postgres/opening.ts'
import { parsePostgresUrl } from '../store/postgres/url.ts'
import { isPostgresUrl } from './database-url.ts'

const RETRY_MS = 500
/** How often the log is told again that a start waits. */
const REMIND_S = 5

/**
 * Runs a start again while its database is away or does not let us in, as happens when both are started together, for `timeout` milliseconds at most.
 * What waits inside the start, as for a migration of another server, is not cut short. Throws a sentence that names the database and the cause.
 */
export async function startPatiently<T>(
  start: () => Promise<T>,
  { databaseUrl, timeout, log }: { databaseUrl: string; timeout: number; log: Logger },
): Promise<T> {
  const began = performance.now()
  let told = { detail: '', at: -Infinity }
  for (;;) {
    try {
      return await watched(start(), log)
    } catch (error) {
      const explained = explain(error, databaseUrl)
      const waited = performance.now() - began
      if (explained === undefined) throw error
      if (timeout === 0) throw explained
      const { code, detail } = explained
      if (waited + RETRY_MS > timeout) {
        throw new AuthError(code, `${detail}; waited ${timeout / 1000} s (SEALWAX_START_TIMEOUT)`, { cause: error })
      }
      if (detail !== told.detail || waited - told.at >= REMIND_S * 1000) {
        told = { detail, at: waited }
        log.warn({ waits_until: new Date(Date.now() + timeout - waited).toISOString() }, `waiting: ${detail}`)
      }
      await delay(RETRY_MS)
    }
  }
}

/** The error in a sentence, if waiting may help. */
function explain(error: unknown, databaseUrl: string): AuthError | undefined {
  if (!isPostgresUrl(databaseUrl)) {
    return error instanceof AuthError && error.code === 'temporarily_unavailable' ? error : undefined
  }
  if (!isAboutConnection(error)) return undefined
  const translated = translateAtOpening(error, parsePostgresUrl(databaseUrl))
  return translated instanceof AuthError ? translated : undefined
}

/** Tells the log while a start takes long: it waits for a lock, or migrates. */
async function watched<T>(starting: Promise<T>, log: Logger): Promise<T> {
  let seconds = 0
  const timer = setInterval(() => {
    seconds += 1
    if (seconds > 1 && seconds % REMIND_S !== 0) return
    log.info(
      { seconds },
      'waiting for the database: another server migrates it or holds its lock, or this one migrates',
    )
  }, 1000)
  try {
    return await starting
  } finally {
    clearInterval(timer)
  }
}
