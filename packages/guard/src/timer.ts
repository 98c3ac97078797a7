/** What timers take at most; a longer time is waited for in steps. */
const LONGEST_TIMER = 2 ** 31 - 1

/** A timer that lets an idle process exit. @returns the function that stops it */
export function startTimer(milliseconds: number, ring: () => void): () => void {
  const timer = setTimeout(ring, Math.min(Math.ceil(milliseconds), LONGEST_TIMER))
  letExit(timer)
  return () => clearTimeout(timer)
}

/** Browsers and Workers have numbers for timers, and nothing to keep running. */
export function letExit(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
}
