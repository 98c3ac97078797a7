import type { Auth } from './auth.ts'
import { GuardError, type RefusalAnswer, refusalAnswer } from './errors.ts'
import { type AuthFor, type Guard, validateRequirement } from './guard.ts'
import { fieldOf, type GuardRequest } from './request.ts'
import type { Requirement } from './requirements.ts'

/** The arguments of an adapter that may hold a requirement. */
export type MaybeRequirement<Request> = readonly [] | readonly [requirement: Requirement<Request>]

/**
 * What every adapter does with a request: authenticate it, then let it pass or answer the refusal. Without a promise where `authenticate` makes none.
 * What is not a refusal is thrown on, or rejects the promise; what `accept` throws is never taken for a refusal.
 */
export function settle<A, T>(
  authenticate: () => A | Promise<A>,
  accept: (auth: A) => T,
  refuse: (answer: RefusalAnswer, error: GuardError) => T,
): T | Promise<Awaited<T>> {
  let auth: A | Promise<A>
  try {
    auth = authenticate()
  } catch (error) {
    return answer(error, refuse)
  }
  if (!(auth instanceof Promise)) return accept(auth)
  // The compiler does not see that `then` flattens what accept returns.
  return auth.then(accept, (error: unknown) => answer(error, refuse)) as Promise<Awaited<T>>
}

/**
 * Authenticates a request, except by the method OPTIONS: a browser sends its CORS preflights without credentials, so they pass as nobody, for the CORS
 * middleware or the framework behind to answer.
 */
export function authenticate<Request extends GuardRequest, const R extends MaybeRequirement<Request>>(
  guard: Guard,
  request: Request,
  requirement: R,
): AuthFor<R> | Promise<AuthFor<R>> {
  if (isOptions(request)) return undefined as AuthFor<R>
  return guard.authenticate(request, ...requirement)
}

function answer<T>(error: unknown, refuse: (answer: RefusalAnswer, error: GuardError) => T): T {
  if (!(error instanceof GuardError)) throw error
  return refuse(refusalAnswer(error), error)
}

/**
 * Whether a request is none of a guard's business: browsers send OPTIONS without credentials, to ask whether they may send the request itself (Fetch §3.3). It
 * is let through without being looked at, and without `auth`, so that whatever answers for CORS gets it.
 */
export function isOptions(request: GuardRequest): boolean {
  return request.method === 'OPTIONS' && OVERRIDES.every((name) => fieldOf(request, name) === undefined)
}

/** A browser sends none of these with a preflight, and what stands behind might take the request for another method. */
const OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override']

/** The part of Node's request that counts, with the header fields as they came. */
export interface RawRequest extends GuardRequest {
  readonly rawHeaders: readonly string[]
}

/** Node's request together with the object in which a framework wraps it. */
export interface WrappedRequest<Wrapper> extends GuardRequest {
  readonly wrapper: Wrapper
}

/** The header fields as they came: the wrapper may know one Authorization field where two were sent. */
export function wrapped<Wrapper>(raw: RawRequest, wrapper: Wrapper): WrappedRequest<Wrapper> {
  return { headers: raw.headers, rawHeaders: raw.rawHeaders, method: raw.method, url: raw.url, wrapper }
}

/**
 * A requirement for {@link wrapped} requests: `check` is given the object of the framework, with its parameters.
 * @throws TypeError for a requirement that is not well-formed
 */
export function requirementOfWrapper<Wrapper>(
  requirement: MaybeRequirement<Wrapper>,
): MaybeRequirement<WrappedRequest<Wrapper>> {
  validateRequirement(requirement)
  const [own] = requirement
  if (own === undefined) return []
  const { check, ...rest } = own
  if (check === undefined) return [rest]
  return [{ ...rest, check: (auth: Auth, request: WrappedRequest<Wrapper>) => check(auth, request.wrapper) }]
}
