import { isOptions, settle } from '../adapter.ts'
import { type Auth, type AuthFor, type Guard, type Requirement, validateRequirement } from '../guard.ts'
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
 * before the handler: `protect(guard, { scope: 'orders:read' }, handler)`.
 *
 * `auth` is the second argument, since runtimes differ in how many follow: `(request, auth, env,
 * context)` on Workers. Responds to a refusal itself and then does not call the handler; everything
 * else that is thrown goes to the runtime. OPTIONS gets a 204 response; handle it earlier to add
 * your CORS header fields.
 * @param guard see `createGuard`
 * @param requirement what the handler requires; its `check` is called with the web `Request`
 * @param handler called with the request or event, who sent it, and the other arguments of the
 * runtime
 * @throws {TypeError} for a requirement that is not well-formed, or without a handler
 */
export function protect<In extends Incoming = Request, Rest extends readonly unknown[] = []>(
  guard: Guard,
  handler: ProtectedHandler<Auth, In, Rest>,
): FetchHandler<In, Rest>
export function protect<
  const R extends Requirement<Request>,
  In extends Incoming = Request,
  Rest extends readonly unknown[] = [],
>(guard: Guard, requirement: R, handler: ProtectedHandler<AuthFor<readonly [R]>, In, Rest>): FetchHandler<In, Rest>
export function protect(guard: Guard, ...args: readonly unknown[]): FetchHandler<Incoming, readonly unknown[]> {
  const handler = args.at(-1) as ProtectedHandler<unknown, Incoming, readonly unknown[]>
  const requirement = args.slice(0, -1) as [] | [requirement: Requirement<Request>]
  if (typeof handler !== 'function') throw new TypeError('protect: the last argument must be the handler')
  validateGuard(guard)
  validateRequirement(requirement)
  return (incoming, ...rest) => {
    const request = 'request' in incoming ? incoming.request : incoming
    if (isOptions(request)) return new Response(null, { status: 204 })
    return settle(
      () => guard.authenticate(request, ...requirement),
      (auth) => handler(incoming, auth, ...rest),
      ({ status, headers, body }) => new Response(body, { status, headers }),
    )
  }
}
