import type { Auth } from './auth.ts'
import { type GuardError, isRefusal, type RefusalAnswer, refusalAnswer } from './errors.ts'
import { type AuthFor, type Guard, validateRequirement } from './guard.ts'
import { fieldOf, type GuardRequest } from './request/request.ts'
import type { Requirement } from './requirements.ts'
import { checkOptions, mustBeFunction, type OptionRules } from './strict-options.ts'

/** The arguments of an adapter that may contain a requirement. */
export type MaybeRequirement<Request, Claims = unknown> =
  | readonly []
  | readonly [requirement: Requirement<Request, Claims>]

/** Options of `protect`. `Args` are the arguments that the framework gives to a handler. */
export interface ProtectOptions<Args extends readonly unknown[], Result = unknown> {
  /**
   * Responds to a refusal instead of `protect`. Status and header fields of the refusal (the
   * challenge, `Cache-Control`, `Retry-After`) are set already, the body is not. What it throws or
   * rejects with goes to the error handling of the framework: `onRefused(error) { throw error }`.
   */
  readonly onRefused?: (error: GuardError, ...args: Args) => Result
}

/** The arguments of `protect` after the guard: what the route requires, and options. */
export type ProtectArguments<Request, Claims, Args extends readonly unknown[], Result = unknown> =
  | MaybeRequirement<Request, Claims>
  | readonly [requirement: Requirement<Request, Claims>, options: ProtectOptions<Args, Result>]

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
export function authenticate<Request extends GuardRequest, Claims, const R extends MaybeRequirement<Request, Claims>>(
  guard: Guard<Claims>,
  request: Request,
  requirement: R,
): AuthFor<R, Claims> | Promise<AuthFor<R, Claims>> {
  if (isOptions(request)) return undefined as AuthFor<R, Claims>
  return guard.authenticate(request, ...requirement)
}

/** The part of Node's response that is used. */
interface RawResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
}

/** Sets the status and header fields of a refusal. */
export function setHead(response: RawResponse, { status, headers }: Pick<RefusalAnswer, 'status' | 'headers'>): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

const PROTECT_OPTIONS: OptionRules<{ readonly onRefused?: unknown }> = {
  example: '{ onRefused }',
  rules: { onRefused: mustBeFunction('a function of the error and the arguments of a handler') },
}

/**
 * Checks the arguments of `protect` after the guard.
 * @returns what the route requires, as a list for `authenticate`, and how refusals are answered
 * @throws {TypeError} for a requirement or options that are not well-formed
 */
export function readProtectArguments<Request, Claims, Args extends readonly unknown[], Result>(
  given: ProtectArguments<Request, Claims, Args, Result>,
): {
  readonly requirement: MaybeRequirement<Request, Claims>
  readonly onRefused: ((error: GuardError, ...args: Args) => Result) | undefined
} {
  const [requirement, options] = given
  validateRequirement(given)
  if (given.length > 1) checkOptions('protect', options as object, PROTECT_OPTIONS, 'options')
  return { requirement: requirement === undefined ? [] : [requirement], onRefused: options?.onRefused }
}

function answer<T>(error: unknown, refuse: (answer: RefusalAnswer, error: GuardError) => T): T {
  if (!isRefusal(error)) throw error
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

/** The part of the framework's request that is read. */
interface Original {
  readonly originalUrl?: string | undefined
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
export function wrapped<Wrapper extends object>(raw: RawRequest, wrapper: Wrapper): WrappedRequest<Wrapper> {
  const { headers, rawHeaders, method, url } = raw
  return { headers, rawHeaders, method, url, originalUrl: (wrapper as Original).originalUrl, wrapper }
}

/**
 * A requirement for {@link wrapped} requests: `check` is called with the request of the framework.
 */
export function requirementOfWrapper<Wrapper, Claims>(
  requirement: MaybeRequirement<Wrapper, Claims>,
): MaybeRequirement<WrappedRequest<Wrapper>, Claims> {
  const [own] = requirement
  if (own === undefined) return []
  const { check, ...rest } = own
  if (check === undefined) return [rest]
  return [{ ...rest, check: (auth: Auth<Claims>, request: WrappedRequest<Wrapper>) => check(auth, request.wrapper) }]
}
