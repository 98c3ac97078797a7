import type { Exchanged } from '../../http.ts'

/** How long a guard went on accepting a token. */
export interface Refused {
  /** How many requests it still accepted. */
  readonly accepted: number
  /** Milliseconds from `since` to the first refusal. */
  readonly after: number
  readonly exchange: Exchanged
}

const MOST_MS = 30_000

/**
 * Sends a request again and again until it is refused.
 *
 * @param since when the log-out was confirmed, on the clock of `now`
 * @returns undefined if the server gave no reply, or accepted the token for half a minute
 */
export async function untilRefused(
  ask: () => Promise<Exchanged>,
  since: number,
  now: () => number = () => performance.now(),
): Promise<Refused | undefined> {
  for (let accepted = 0; now() - since < MOST_MS; accepted += 1) {
    const exchange = await ask()
    const status = exchange.received?.status
    if (status === undefined) return undefined
    if (status === 401) return { accepted, after: now() - since, exchange }
  }
  return undefined
}
