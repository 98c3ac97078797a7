import { readToken } from './forgeries.ts'

/** When a token was issued and when it expires, in seconds since 1970. */
export interface Times {
  readonly iat: number
  readonly exp: number
}

/** Returns the times of a token; undefined if it has none. */
export function timesOf(token: string): Times | undefined {
  const { iat, exp } = readToken(token).payload
  return typeof iat === 'number' && typeof exp === 'number' ? { iat, exp } : undefined
}

/** Returns the seconds until a token expires: 0 at `exp` itself, and negative after that. */
export function secondsLeft({ exp }: Times, now: number): number {
  return exp - now / 1000
}

/** Says it in whole seconds: `7 seconds left` until `Expired`, then `Expired 3 seconds ago`. */
export function spellLeft(left: number): string {
  const seconds = left > 0 ? Math.ceil(left) : Math.floor(-left)
  if (left <= 0 && seconds === 0) return 'Expired'
  const spelled = `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
  return left > 0 ? `${spelled} left` : `Expired ${spelled} ago`
}

/** What the reader has seen of one token. */
export interface Sending {
  /** Seconds until it expired. */
  readonly left: number
  readonly status: number | undefined
  readonly code: string | undefined
}

/** Whether a token was accepted, and later refused because it had expired. */
export function sawExpiry(sendings: readonly Sending[]): boolean {
  const accepted = sendings.findIndex(({ status }) => status === 200)
  return accepted >= 0 && sendings.slice(accepted).some(({ code }) => code === 'token_expired')
}
