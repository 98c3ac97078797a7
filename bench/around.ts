import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const WARMING = 100

/**
 * Microseconds that a call takes in addition to the one-shot primitive inside it: the time of the
 * call minus the time that `crypto.sign` or `crypto.verify` took during the same call, the minimum
 * over all calls. Where the primitive takes a millisecond, the difference of two separate
 * measurements would hide a few microseconds in noise. The overhead of measuring is determined by
 * measuring a call of the bare primitive in the same way, and is subtracted.
 * @returns undefined if the call uses neither `crypto.sign` nor `crypto.verify`
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
    // The first 100 calls only warm up: the functions were just replaced and are not optimized yet.
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
