import { type Guard, GuardError } from '@sealwax/guard'

/** Interval between two checks of a token, in milliseconds. */
const EVERY = 10

interface Watched {
  readonly token: string
  /** When each guard first refused; undefined while it accepts. */
  readonly refused: (number | undefined)[]
  resolve(times: number[]): void
  reject(error: Error): void
}

/** Presents tokens to guards every 10 ms until each guard has refused. */
export interface Watcher {
  /**
   * Resolves once every guard has accepted the token and it is being watched, so that a later
   * refusal is due to the log-out.
   * @returns a promise of the times of the first refusals
   */
  watch(token: string): Promise<{ times: Promise<number[]> }>
}

export function createWatcher(guards: readonly Guard[]): Watcher {
  const watched = new Set<Watched>()
  const timer = setInterval(() => {
    for (const one of watched) void look(one)
  }, EVERY)
  timer.unref()

  async function look(one: Watched): Promise<void> {
    try {
      for (const [index, guard] of guards.entries()) {
        if (one.refused[index] === undefined && !(await accepts(guard, one.token))) one.refused[index] = now()
      }
      const times = one.refused.filter((time) => time !== undefined)
      if (times.length === guards.length && watched.delete(one)) one.resolve(times)
    } catch (error) {
      watched.delete(one)
      one.reject(error as Error)
    }
  }

  return {
    async watch(token) {
      for (const guard of guards)
        if (!(await accepts(guard, token))) throw new Error('a token was refused before its session ended')
      const times = new Promise<number[]>((resolve, reject) => {
        watched.add({ token, refused: guards.map(() => undefined), resolve, reject })
      })
      return { times }
    },
  }
}

/** Returns false if the token is refused as revoked. Throws on any other refusal. */
async function accepts(guard: Guard, token: string): Promise<boolean> {
  try {
    await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
    return true
  } catch (error) {
    if (error instanceof GuardError && error.code === 'token_revoked') return false
    throw error
  }
}

/** Milliseconds on a clock that all processes of the machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * The handlers of a process that watches: start watching a token, and return the times of its
 * refusals.
 */
export function watching(watcher: Watcher) {
  const times = new Map<string, Promise<number[]>>()
  return {
    async watch({ token }: { token: string }): Promise<void> {
      const found = (await watcher.watch(token)).times
      // Awaited later, by `refusals`. Until then a rejection must not count as unhandled.
      found.catch(() => {})
      times.set(token, found)
    },
    async refusals({ token }: { token: string }): Promise<number[]> {
      const found = await times.get(token)
      times.delete(token)
      return found ?? []
    },
  }
}
