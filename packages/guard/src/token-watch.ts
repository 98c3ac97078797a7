import { verdictOf } from './revocation-verdict.ts'
import type { RevocationVerdict } from './revocations.ts'
import type { Trust } from './trust.ts'
import type { VerifiedToken } from './verified-token.ts'

/** Milliseconds between looks at a list of revocations that does not tell by itself. */
const WATCH_INTERVAL = 1000
/** What timers take at most; a longer time is waited for in steps. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Tells when a token expires or is revoked, at once if it has been. Its timers let an idle process exit.
 * @returns the function that ends the watch
 */
export function watchToken(
  trust: Trust,
  token: VerifiedToken,
  lost: (code: 'token_expired' | 'token_revoked' | 'token_stale') => void,
): () => void {
  const { now, tolerance, revocation } = trust
  let stopTimer = () => {}
  let asking = false
  let over = false
  function hear(verdict: RevocationVerdict | undefined): void {
    // That revocations are not known at the moment says nothing about this token.
    if (!over && verdict !== undefined && verdict !== 'revocation_unavailable') lost(verdict)
  }
  function lookForRevocation(): void {
    if (asking) return
    const verdict = verdictNow(trust, token)
    if (!(verdict instanceof Promise)) {
      hear(verdict)
      return
    }
    asking = true
    void verdict
      .catch(() => undefined)
      .then((found) => {
        asking = false
        hear(found)
      })
  }
  function lookAtClock(): void {
    const remaining = (token.expires + tolerance) * 1000 - now()
    if (remaining <= 0) lost('token_expired')
    else if (remaining < Number.POSITIVE_INFINITY) stopTimer = startTimer(remaining, lookAtClock)
  }
  const unsubscribe =
    revocation === null ? () => {} : (revocation.subscribe?.(lookForRevocation) ?? startInterval(lookForRevocation))
  lookAtClock()
  lookForRevocation()
  return () => {
    over = true
    stopTimer()
    unsubscribe()
  }
}

/** A check that fails says nothing about this token, either. */
function verdictNow(trust: Trust, token: VerifiedToken): ReturnType<typeof verdictOf> {
  try {
    return verdictOf(trust, token.revocable)
  } catch {
    return undefined
  }
}

/** A timer that lets an idle process exit. @returns the function that stops it */
export function startTimer(milliseconds: number, ring: () => void): () => void {
  const timer = setTimeout(ring, Math.min(Math.ceil(milliseconds), LONGEST_TIMER))
  letExit(timer)
  return () => clearTimeout(timer)
}

function startInterval(ring: () => void): () => void {
  const timer = setInterval(ring, WATCH_INTERVAL)
  letExit(timer)
  return () => clearInterval(timer)
}

/** Browsers and Workers have numbers for timers, and nothing to keep running. */
function letExit(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
}
