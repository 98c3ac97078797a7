/** The longest delay of `setTimeout`; callers wait for a longer time in steps. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Starts a timer that does not keep the process running.
 *
 * @returns a function that stops it
 */
export function startTimer(milliseconds: number, ring: () => void): () => void {
  const timer = setTimeout(ring, Math.min(Math.ceil(milliseconds), LONGEST_TIMER))
  letExit(timer)
  return () => clearTimeout(timer)
}

/** Lets the process exit while a timer runs. In browsers and Workers timers are numbers. */
export function letExit(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
}
