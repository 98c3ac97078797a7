import { toSeconds } from '@sealwax/jwt'
import { GuardError } from './errors.ts'
import type { RevocableToken, RevocationCheck, RevocationVerdict } from './revocations.ts'
import { startTimer } from './timer.ts'
import type { Trust } from './trust.ts'

type Verdict = RevocationVerdict | undefined

const VERDICTS: ReadonlySet<unknown> = new Set<RevocationVerdict>([
  ...(['token_revoked', 'token_stale', 'revocation_unavailable'] as const),
])

/** Checks a check that the program brings. @throws TypeError, JwtError */
export function validateRevocationCheck(revocation: RevocationCheck): void {
  const { check, cacheFor } = revocation
  if (typeof check !== 'function') throw new TypeError('createGuard: revocation.check must be a function')
  // A class, or our own list, may keep what it likes beside its check; in a literal an unknown member is a mistake.
  const names =
    Object.getPrototypeOf(revocation) === Object.prototype && !('add' in revocation) ? Object.entries(revocation) : []
  for (const [name, value] of names) {
    if (name !== 'cacheFor' && typeof value !== 'function')
      throw new TypeError(
        `createGuard: revocation: unknown member "${name}"; beside check there are cacheFor and subscribe`,
      )
  }
  if (cacheFor === undefined) return
  const seconds = toSeconds(cacheFor)
  if (seconds < 1 || seconds > 86_400) throw new TypeError('createGuard: revocation.cacheFor must be 1 second to 1 day')
}

/**
 * What the revocations of a guard say about a token; a promise where they have to be waited for.
 * @throws GuardError `revocation_unavailable` if the check fails @throws TypeError if it returns something else
 */
export function verdictOf(trust: Trust, token: RevocableToken): Verdict | Promise<Verdict> {
  const { revocation } = trust
  if (revocation === null) return undefined
  return revocation.cacheFor === undefined
    ? ask(trust, revocation, token)
    : recall(trust, revocation, token, toSeconds(revocation.cacheFor) * 1000)
}

/** Checks that have returned a promise: each of their answers costs a look-up. */
const awaited = new WeakSet<RevocationCheck>()

/**
 * The verdict about tokens of a key that is no longer known, where the check answers from memory. One that looks something up is asked once at most: such
 * a token can be made by anybody.
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

/** Answers that hold for a while. A token that the guard no longer remembers takes its answer along. */
const answers = new WeakMap<RevocableToken, { readonly verdict: Verdict | Promise<Verdict>; readonly at: number }>()

function recall(
  trust: Trust,
  revocation: RevocationCheck,
  token: RevocableToken,
  milliseconds: number,
): Verdict | Promise<Verdict> {
  const known = answers.get(token)
  // A clock that was set back must not make an answer last.
  if (known !== undefined && Math.abs(trust.now() - known.at) < milliseconds) return known.verdict
  const verdict = ask(trust, revocation, token)
  if (!(verdict instanceof Promise)) {
    keep(token, verdict, trust.now())
    return verdict
  }
  // Requests that come meanwhile wait for the same look-up.
  const entry = { verdict, at: trust.now() }
  answers.set(token, entry)
  verdict.then(
    (found) => answers.get(token) === entry && keep(token, found, entry.at),
    () => answers.get(token) === entry && answers.delete(token),
  )
  return verdict
}

/** Has the check asked again about this token. */
export function dropAnswer(token: RevocableToken): void {
  answers.delete(token)
}

/** That it is not known at the moment is asked again at once. */
function keep(token: RevocableToken, verdict: Verdict, at: number): void {
  if (verdict === 'revocation_unavailable') answers.delete(token)
  else answers.set(token, { verdict, at })
}

/** A thenable as a promise; anything else as it is. */
function asPromise(answer: unknown): unknown {
  const isThenable =
    typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
  return isThenable ? Promise.resolve(answer) : answer
}

function readAnswer(answer: unknown): Verdict {
  if (answer === undefined || answer === false) return undefined
  if (answer === true) return 'token_revoked'
  if (VERDICTS.has(answer)) return answer as RevocationVerdict
  const returned = answer === null ? 'null' : `a value of type ${typeof answer}`
  throw new TypeError(
    `createGuard: revocation.check must return true if the token is revoked and false if it is not, or a promise of that; it returned ${returned}`,
  )
}
