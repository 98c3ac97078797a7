import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const WARMING = 100

/**
 * What a call costs beside the one-shot primitive inside it, in microseconds: the time of the call
 * minus the time that `crypto.sign` or `crypto.verify` took during that very call; the least of all
 * calls. Where the primitive takes a millisecond, the difference of two separate measurements would
 * say nothing about a few microseconds. What a call of the bare primitive costs when it is measured
 * in the same way is what the measuring costs, and is taken off.
 * @returns undefined if the call does not use them
 */
export function timeAround(run: (index: number) => unknown, calls: number): number | undefined {
  const real = { sign: crypto.sign, verify: crypto.verify }
  let inside = 0
  let bare = (): unknown => undefined
  const timed = <F extends (...values: never[]) => unknown>(primitive: F) => {
    const replacement = (...values: Parameters<F>): unknown => {
      const start = performance.now()
      const result = primitive(...values)
      inside += performance.now() - start
      bare = () => replacement(...values)
      return result
    }
    return replacement
  }
  const least = (call: (index: number) => unknown) => {
    let found = Number.POSITIVE_INFINITY
    // The first hundred only settle what the replaced functions have unsettled.
    for (let index = -WARMING; index < calls; index++) {
      inside = 0
      const start = performance.now()
      call(index + WARMING)
      const whole = performance.now() - start
      if (index >= 0 && inside > 0) found = Math.min(found, whole - inside)
    }
    return found
  }
  Object.assign(crypto, { sign: timed(real.sign), verify: timed(real.verify) })
  syncBuiltinESMExports()
  try {
    const whole = least(run)
    const last = bare
    return whole === Number.POSITIVE_INFINITY ? undefined : (whole - least(last)) * 1000
  } finally {
    Object.assign(crypto, real)
    syncBuiltinESMExports()
  }
}
