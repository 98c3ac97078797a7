import type { RevocationVerdict } from '../revocations/list.ts'
import { dropAnswer, verdictOf } from '../revocations/verdict.ts'
import { letExit, startTimer } from '../timer.ts'
import type { Trust } from '../trust.ts'
import type { VerifiedToken } from './verified-token.ts'

/** Milliseconds between checks of revocations without `subscribe`. */
const WATCH_INTERVAL = 1000

/**
 * Calls `lost` when a token expires or is revoked; immediately if this has already happened. Its
 * timers let an idle process exit.
 * @returns a function that ends the watch
 */
export function watchToken(
  trust: Trust,
  token: VerifiedToken,
  lost: (code: 'token_expired' | 'token_revoked' | 'token_stale' | 'token_issuer_invalid') => void,
): () => void {
  const { now, tolerance, revocation, until } = trust
  let stopTimer = () => {}
  let asking = false
  let again = false
  let over = false
  function hear(verdict: RevocationVerdict | undefined): void {
    // That revocations are unavailable does not mean that this token is revoked.
    if (!over && verdict !== undefined && verdict !== 'revocation_unavailable') lost(verdict)
  }
  function lookForRevocation(): void {
    // A look-up that is already running may miss the latest revocation, so another one follows.
    again = asking
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
        if (again && !over) lookForRevocation()
      })
  }
  function lookAnew(): void {
    dropAnswer(token.revocable)
    lookForRevocation()
  }
  function lookAtClock(): void {
    const remaining = Math.min((token.expires + tolerance) * 1000, until) - now()
    if (remaining <= 0) lost(now() >= until ? 'token_issuer_invalid' : 'token_expired')
    else if (remaining < Number.POSITIVE_INFINITY) stopTimer = startTimer(remaining, lookAtClock)
  }
  const unsubscribe =
    revocation === null ? () => {} : (revocation.subscribe?.(lookAnew) ?? startInterval(lookForRevocation))
  lookAtClock()
  lookForRevocation()
  return () => {
    over = true
    stopTimer()
    unsubscribe()
  }
}

/** A check that fails does not mean that the token is revoked, either. */
function verdictNow(trust: Trust, token: VerifiedToken): ReturnType<typeof verdictOf> {
  try {
    return verdictOf(trust, token.revocable)
  } catch {
    return undefined
  }
}

function startInterval(ring: () => void): () => void {
  const timer = setInterval(ring, WATCH_INTERVAL)
  letExit(timer)
  return () => clearInterval(timer)
}
