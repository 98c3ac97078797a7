import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOptions, type ProtectOptions, readProtectArguments, setHead, settle } from '../adapter.ts'
import type { Auth, AuthFor, Guard, Requirement } from '../guard.ts'
import { validateGuard } from '../validate-guard.ts'

/** Handles an accepted request; `auth` is who sent it. */
export type ProtectedHandler<A> = (req: IncomingMessage, res: ServerResponse, auth: A) => unknown

/**
 * A listener for `http.createServer`; returns what the handler returns, or a promise of it if
 * something must be fetched first.
 */
export type ProtectedListener = (req: IncomingMessage, res: ServerResponse) => unknown

/**
 * Protects a handler of `node:http`: `createServer(protect(guard, (req, res, auth) =>
 * res.end(auth.subject)))`. A requirement comes before the handler: `protect(guard, { scope:
 * 'orders:read' }, handler)`, and {@link ProtectOptions} after it: `onRefused(error, req, res)`.
 *
 * Responds to a refusal itself and then does not call the handler. OPTIONS gets a 204 response;
 * handle it earlier to add your CORS header fields. What the handler or a `check` throws is thrown
 * by the listener, or rejects its promise: `await` it in your own listener to respond, or Node ends
 * the process.
 * @param guard see `createGuard`
 * @param requirement what the handler requires; its `check` is called with Node's request
 * @param handler called with the request, the response and who sent it
 * @throws {TypeError} for a requirement or options that are not well-formed, or without a handler
 */
export function protect<Claims>(guard: Guard<Claims>, handler: ProtectedHandler<Auth<Claims>>): ProtectedListener
export function protect<Claims, const R extends Requirement<IncomingMessage, Claims>>(
  guard: Guard<Claims>,
  requirement: R,
  handler: ProtectedHandler<AuthFor<readonly [R], Claims>>,
): ProtectedListener
export function protect<Claims, const R extends Requirement<IncomingMessage, Claims>>(
  guard: Guard<Claims>,
  requirement: R,
  options: ProtectOptions<[req: IncomingMessage, res: ServerResponse]>,
  handler: ProtectedHandler<AuthFor<readonly [R], Claims>>,
): ProtectedListener
export function protect(guard: Guard, ...rest: readonly unknown[]): ProtectedListener {
  const handler = rest.at(-1) as ProtectedHandler<unknown>
  if (typeof handler !== 'function') throw new TypeError('protect: the last argument must be the handler')
  validateGuard(guard)
  const { requirement, onRefused } = readProtectArguments<
    IncomingMessage,
    unknown,
    [IncomingMessage, ServerResponse],
    unknown
  >(rest.slice(0, -1) as [])
  return (req, res) => {
    if (isOptions(req)) return res.writeHead(204).end()
    return settle(
      () => guard.authenticate(req, ...requirement),
      (auth) => handler(req, res, auth),
      (answer, error): unknown => {
        setHead(res, onRefused === undefined ? answer : error)
        return onRefused === undefined ? res.end(answer.body) : onRefused(error, req, res)
      },
    )
  }
}
