/** The routes that hash a password, below the base path. */
export const HASHING: readonly string[] = ['/login', '/register']

/** How many log-ins begin in one turn of the event loop. */
const PER_TURN = 8

/**
 * Lets log-ins begin a few in a turn of the event loop, in the order they came: a thousand at once hold up nobody else. Everything else begins at
 * once, and so does a log-in while there are few.
 * @returns undefined: it may begin; else what to wait for
 */
export function turnstile(): (path: string) => Promise<void> | undefined {
  const waiting: (() => void)[] = []
  let begun = 0
  const turn = () => {
    const next = waiting.splice(0, PER_TURN)
    begun = next.length
    if (begun > 0) setImmediate(turn)
    for (const begin of next) begin()
  }
  return (path) => {
    if (!HASHING.some((hashing) => path.endsWith(hashing))) return
    if (begun === PER_TURN) return new Promise((begin) => waiting.push(begin))
    if (begun === 0) setImmediate(turn)
    begun += 1
    return
  }
}
