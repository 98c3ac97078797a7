import { toSeconds } from '@sealwax/jwt'
import { describeValue } from '@sealwax/jwt/internal'
import { GuardError } from '../errors.ts'
import { mustBeDuration, unknownOption, wrongOption } from '../strict-options.ts'
import { startTimer } from '../timer.ts'
import type { Trust } from '../trust.ts'
import type { RevocableToken, RevocationCheck, RevocationVerdict } from './list.ts'

type Verdict = RevocationVerdict | undefined

const VERDICTS: ReadonlySet<unknown> = new Set<RevocationVerdict>([
  ...(['token_revoked', 'token_stale', 'revocation_unavailable'] as const),
])

const mustBeCacheFor = mustBeDuration('from 1 second to 1 day', 1, 86_400)

/**
 * Validates a revocation check of the program.
 * @throws {TypeError}
 */
export function validateRevocationCheck(revocation: RevocationCheck): void {
  const { check, cacheFor } = revocation
  if (typeof check !== 'function') throw wrongOption('createGuard', 'revocation.check', 'a function', check)
  // A class, or our own list, may have other members. In an object literal an unknown member is a
  // mistake.
  const isLiteral = Object.getPrototypeOf(revocation) === Object.prototype && !('add' in revocation)
  for (const [name, value] of isLiteral ? Object.entries(revocation) : []) {
    if (name === 'cacheFor' || typeof value === 'function') continue
    throw unknownOption('createGuard', `revocation.${name}`, 'besides check, there are cacheFor and subscribe')
  }
  const allowed = cacheFor === undefined ? undefined : mustBeCacheFor(cacheFor)
  if (allowed !== undefined) throw wrongOption('createGuard', 'revocation.cacheFor', allowed, cacheFor)
}

/**
 * Returns the verdict about a token; a promise if the check must be awaited.
 * @throws {GuardError} `revocation_unavailable` if the check fails
 * @throws {TypeError} if the check returns anything but a `RevocationAnswer`
 */
export function verdictOf(trust: Trust, token: RevocableToken): Verdict | Promise<Verdict> {
  const { revocation } = trust
  if (revocation === null) return undefined
  return revocation.cacheFor === undefined
    ? ask(trust, revocation, token)
    : recall(trust, revocation, token, toSeconds(revocation.cacheFor) * 1000)
}

/** Checks that have returned a promise: each call causes a look-up. */
const awaited = new WeakSet<RevocationCheck>()

/**
 * Returns the verdict about tokens of a key that is no longer known, if the check works from
 * memory. A check that needs a look-up is called at most once, since anyone can send such a token.
 */
export function verdictOnKey(revocation: RevocationCheck | null, kid: string): Verdict {
  if (revocation === null || awaited.has(revocation)) return undefined
  let answer: unknown
  try {
    answer = asPromise(revocation.check({ payload: {}, header: { alg: '', kid } }))
  } catch {
    return undefined
  }
  if (answer instanceof Promise) {
    awaited.add(revocation)
    answer.catch(() => {})
  }
  return VERDICTS.has(answer) ? (answer as RevocationVerdict) : undefined
}

function ask(trust: Trust, revocation: RevocationCheck, token: RevocableToken): Verdict | Promise<Verdict> {
  let answer: unknown
  try {
    answer = asPromise(revocation.check(token))
  } catch (cause) {
    throw new GuardError('revocation_unavailable', { ...trust.challenge, cause })
  }
  if (!(answer instanceof Promise)) return readAnswer(answer)
  awaited.add(revocation)
  return withinLimit(answer).then(readAnswer, (cause: unknown) => {
    throw new GuardError('revocation_unavailable', { ...trust.challenge, cause })
  })
}

/** How long a look-up may take, in milliseconds. */
const LONGEST_LOOK = 5000

function withinLimit(answer: Promise<unknown>): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const stop = startTimer(LONGEST_LOOK, () => reject(new Error('revocation.check took longer than 5 seconds')))
  answer.then(resolve, reject).finally(stop)
  return promise
}

/** Verdicts that are reused (`cacheFor`), as long as the token is in the cache of the guard. */
const answers = new WeakMap<RevocableToken, { readonly verdict: Verdict | Promise<Verdict>; readonly at: number }>()

function recall(
  trust: Trust,
  revocation: RevocationCheck,
  token: RevocableToken,
  milliseconds: number,
): Verdict | Promise<Verdict> {
  const known = answers.get(token)
  // A verdict must not be kept longer if the clock is set back.
  if (known !== undefined && Math.abs(trust.now() - known.at) < milliseconds) return known.verdict
  const verdict = ask(trust, revocation, token)
  if (!(verdict instanceof Promise)) {
    keep(token, verdict, trust.now())
    return verdict
  }
  // Requests that arrive meanwhile await the same look-up.
  const entry = { verdict, at: trust.now() }
  answers.set(token, entry)
  verdict.then(
    (found) => answers.get(token) === entry && keep(token, found, entry.at),
    () => answers.get(token) === entry && answers.delete(token),
  )
  return verdict
}

/** Drops the kept verdict about a token, so that the check is called again. */
export function dropAnswer(token: RevocableToken): void {
  answers.delete(token)
}

/** `revocation_unavailable` is not reused. */
function keep(token: RevocableToken, verdict: Verdict, at: number): void {
  if (verdict === 'revocation_unavailable') answers.delete(token)
  else answers.set(token, { verdict, at })
}

/** Converts a thenable to a promise; returns anything else unchanged. */
function asPromise(answer: unknown): unknown {
  const isThenable =
    typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
  return isThenable ? Promise.resolve(answer) : answer
}

function readAnswer(answer: unknown): Verdict {
  if (answer === undefined || answer === false) return undefined
  if (answer === true) return 'token_revoked'
  if (VERDICTS.has(answer)) return answer as RevocationVerdict
  throw new TypeError(
    `createGuard: revocation.check must return true if the token is revoked and false if it is not, or a promise of that (got ${describeValue(answer)})`,
  )
}
