import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../core/logger.ts'
import { AuthError } from '../errors.ts'
import { isAboutConnection, translateAtOpening } from '../store/postgres/opening.ts'
import { parsePostgresUrl } from '../store/postgres/url.ts'
import { isPostgresUrl } from './database-url.ts'

const RETRY_MS = 500
/** How often to log that a start is waiting. */
const REMIND_S = 5

/**
 * Retries a start for at most `timeout` milliseconds while the database is unavailable or rejects
 * the log-in, as when both start at the same time. Does not abort a running attempt, such as one
 * that waits for another server's migration.
 *
 * @throws {AuthError} with a message that names the database and the cause
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

/** The message of an error that waiting may fix. */
function explain(error: unknown, databaseUrl: string): AuthError | undefined {
  if (!isPostgresUrl(databaseUrl)) {
    return error instanceof AuthError && error.code === 'temporarily_unavailable' ? error : undefined
  }
  if (!isAboutConnection(error)) return undefined
  const translated = translateAtOpening(error, parsePostgresUrl(databaseUrl))
  return translated instanceof AuthError ? translated : undefined
}

/** Logs while a start takes long: it waits for a lock or migrates. */
async function watched<T>(starting: Promise<T>, log: Logger): Promise<T> {
  let seconds = 0
  const timer = setInterval(() => {
    seconds += 1
    if (seconds > 1 && seconds % REMIND_S !== 0) return
    log.info(
      { seconds },
      'waiting for the database: another server is migrating it or holds its lock, or this one is migrating it',
    )
  }, 1000)
  try {
    return await starting
  } finally {
    clearInterval(timer)
  }
}
