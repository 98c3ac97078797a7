import type { Auth } from './auth.ts'
import { GuardError, type RefusalAnswer, refusalAnswer } from './errors.ts'
import { type AuthFor, type Guard, validateRequirement } from './guard.ts'
import { fieldOf, type GuardRequest } from './request/request.ts'
import type { Requirement } from './requirements.ts'

/** The arguments of an adapter that may contain a requirement. */
export type MaybeRequirement<Request> = readonly [] | readonly [requirement: Requirement<Request>]

/**
 * Authenticates a request, then accepts it or responds with the refusal, as every adapter does.
 * Returns a promise only if `authenticate` does. Other errors are thrown or reject the promise;
 * what `accept` throws is never handled as a refusal.
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
 * Authenticates a request unless its method is OPTIONS: a browser sends CORS preflights without
 * credentials, so they pass without `auth` to the CORS middleware or the framework.
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
 * Whether a request passes without authentication: browsers send OPTIONS without credentials to ask
 * whether they may send the request itself (Fetch §3.3).
 */
export function isOptions(request: GuardRequest): boolean {
  return request.method === 'OPTIONS' && OVERRIDES.every((name) => fieldOf(request, name) === undefined)
}

/**
 * No browser sends these with a preflight; middleware behind the guard may treat the request as one
 * with another method because of them.
 */
const OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override']

/** The part of Node's request that is read, with the header fields as received. */
export interface RawRequest extends GuardRequest {
  /** Names and values alternating, as received. */
  readonly rawHeaders: readonly string[]
}

/** Node's request, and the framework's request that wraps it. */
export interface WrappedRequest<Wrapper> extends GuardRequest {
  /** The request of the framework. */
  readonly wrapper: Wrapper
}

/**
 * Uses the header fields as received: the wrapper may show one Authorization field although two
 * were sent.
 */
export function wrapped<Wrapper>(raw: RawRequest, wrapper: Wrapper): WrappedRequest<Wrapper> {
  return { headers: raw.headers, rawHeaders: raw.rawHeaders, method: raw.method, url: raw.url, wrapper }
}

/**
 * A requirement for {@link wrapped} requests: `check` is called with the request of the framework.
 * @throws {TypeError} for a requirement that is not well-formed
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
