import { isOptions, type ProtectOptions, readProtectArguments, settle } from '../adapter.ts'
import type { Auth, AuthFor, Guard, Requirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

/**
 * The first argument of a handler: a web `Request`, or an event that contains one (SvelteKit,
 * Astro, React Router).
 */
export type Incoming = Request | { readonly request: Request }

/**
 * Handles an accepted request; `auth` is who sent it, `rest` the other arguments of the runtime.
 */
export type ProtectedHandler<A, In extends Incoming, Rest extends readonly unknown[]> = (
  incoming: In,
  auth: A,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * A handler for the runtime. Returns a promise only if the handler does, or if something must be
 * fetched first.
 */
export type FetchHandler<In extends Incoming, Rest extends readonly unknown[]> = (
  incoming: In,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * Protects a handler of web `Request`s: Next route handlers, SvelteKit, Bun, Deno, Workers. `export
 * const GET = protect(guard, (request, auth) => Response.json(auth.subject))`. A requirement comes
 * before the handler: `protect(guard, { scope: 'orders:read' }, handler)`, and
 * {@link ProtectOptions} after it: `onRefused(error, request)` returns the whole response, such as
 * `Response.json({ message: error.detail }, error)`, which takes status and header fields from it.
 *
 * `auth` is the second argument, since runtimes differ in how many follow: `(request, auth, env,
 * context)` on Workers. Responds to a refusal itself and then does not call the handler; everything
 * else that is thrown goes to the runtime. OPTIONS gets a 204 response; handle it earlier to add
 * your CORS header fields.
 * @param guard see `createGuard`
 * @param requirement what the handler requires; its `check` is called with the web `Request`
 * @param handler called with the request or event, who sent it, and the other arguments of the
 * runtime
 * @throws {TypeError} for a requirement or options that are not well-formed, or without a handler
 */
export function protect<Claims, In extends Incoming = Request, Rest extends readonly unknown[] = []>(
  guard: Guard<Claims>,
  handler: ProtectedHandler<Auth<Claims>, In, Rest>,
): FetchHandler<In, Rest>
export function protect<
  Claims,
  const R extends Requirement<Request, Claims>,
  In extends Incoming = Request,
  Rest extends readonly unknown[] = [],
>(
  guard: Guard<Claims>,
  requirement: R,
  handler: ProtectedHandler<AuthFor<readonly [R], Claims>, In, Rest>,
): FetchHandler<In, Rest>
export function protect<
  Claims,
  const R extends Requirement<Request, Claims>,
  In extends Incoming = Request,
  Rest extends readonly unknown[] = [],
>(
  guard: Guard<Claims>,
  requirement: R,
  options: ProtectOptions<[incoming: In, ...rest: Rest], Response | Promise<Response>>,
  handler: ProtectedHandler<AuthFor<readonly [R], Claims>, In, Rest>,
): FetchHandler<In, Rest>
export function protect(guard: Guard, ...args: readonly unknown[]): FetchHandler<Incoming, readonly unknown[]> {
  const handler = args.at(-1) as ProtectedHandler<unknown, Incoming, readonly unknown[]>
  if (typeof handler !== 'function') throw new TypeError('protect: the last argument must be the handler')
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<
    Request,
    unknown,
    [Incoming, ...(readonly unknown[])],
    Response | Promise<Response>
  >(args.slice(0, -1) as [])
  return (incoming, ...rest) => {
    const request = 'request' in incoming ? incoming.request : incoming
    if (isOptions(request)) return new Response(null, { status: 204 })
    return settle(
      () => guard.authenticate(request, ...requirement),
      (auth) => handler(incoming, auth, ...rest),
      ({ status, headers, body }, error) =>
        onRefused === undefined ? new Response(body, { status, headers }) : onRefused(error, incoming, ...rest),
    )
  }
}
