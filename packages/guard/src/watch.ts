import type { Auth } from './auth.ts'
import { GuardError } from './errors.ts'
import { type Guard, trustBehind } from './guard.ts'
import { namesOf } from './requirements.ts'
import { checkOptions, mustBe, type OptionRules } from './strict-options.ts'
import { verifiedToken } from './tokens/verified-token.ts'
import { trustThatVerified } from './tokens/verify.ts'
import { watchToken } from './tokens/watch.ts'

/** Options of {@link watch}. */
export interface WatchOptions {
  /**
   * Fires when the response has ended, such as `request.signal`. The watch ends then, and its
   * signal fires with the same reason. Default: the watch ends when the token expires.
   */
  readonly signal?: AbortSignal
}

const OPTIONS: OptionRules<WatchOptions> = {
  example: '{ signal: request.signal }',
  rules: { signal: mustBe('an AbortSignal', (value) => value instanceof AbortSignal) },
}

/**
 * Watches a token after its request was accepted: for server-sent events, long downloads and jobs,
 * which would otherwise continue after a log-out. `const signal = watch(guard, auth)`.
 *
 * The signal fires when the token expires, or when the guard learns that it is revoked or out of
 * date: immediately with a revocation feed or list, within a second with a `check` of your own. Its
 * reason is a `GuardError` with the code `token_expired`, `token_revoked`, `token_stale` or
 * `token_issuer_invalid` (the issuer is past its `until`). It has fired already if the token is no
 * longer valid. Revocations that cannot be read end nothing. The watch does not keep the process
 * running.
 * @param guard the guard that authenticated the request
 * @param auth what it returned
 * @throws {TypeError} for an `auth` that no guard returned, and for options that are not
 * well-formed
 */
export function watch(guard: Guard, auth: Auth, options: WatchOptions = {}): AbortSignal {
  checkOptions('watch', options, OPTIONS)
  const trust = trustBehind(guard)
  const trustOfToken = trustThatVerified(auth)
  if (trustOfToken === undefined) throw new TypeError('watch: auth must be what guard.authenticate returned')
  const { signal: ended } = options
  if (ended?.aborted) return ended
  const controller = new AbortController()
  const { signal } = controller
  const stop = watchToken(trustOfToken, verifiedToken('', auth, [], trust.now()), (code) =>
    controller.abort(new GuardError(code, { ...trust.challenge, ...namesOf(auth) })),
  )
  const end = () => controller.abort(ended?.reason)
  const finish = () => {
    ended?.removeEventListener('abort', end)
    stop()
  }
  if (signal.aborted) finish()
  else {
    ended?.addEventListener('abort', end)
    signal.addEventListener('abort', finish, { once: true })
  }
  return signal
}
