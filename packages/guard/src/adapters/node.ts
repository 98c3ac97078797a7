import type { IncomingMessage, ServerResponse } from 'node:http'
import { isOptions, settle } from '../adapter.ts'
import { type Auth, type AuthFor, type Guard, type Requirement, validateRequirement } from '../guard.ts'
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
 * 'orders:read' }, handler)`.
 *
 * Responds to a refusal itself and then does not call the handler. OPTIONS gets a 204 response;
 * handle it earlier to add your CORS header fields. What the handler or a `check` throws is thrown
 * by the listener, or rejects its promise: `await` it in your own listener to respond, or Node ends
 * the process.
 * @param guard see `createGuard`
 * @param requirement what the handler requires; its `check` is called with Node's request
 * @param handler called with the request, the response and who sent it
 * @throws {TypeError} for a requirement that is not well-formed, or without a handler
 */
export function protect(guard: Guard, handler: ProtectedHandler<Auth>): ProtectedListener
export function protect<const R extends Requirement<IncomingMessage>>(
  guard: Guard,
  requirement: R,
  handler: ProtectedHandler<AuthFor<readonly [R]>>,
): ProtectedListener
export function protect(guard: Guard, ...rest: readonly unknown[]): ProtectedListener {
  const handler = rest.at(-1) as ProtectedHandler<unknown>
  const requirement = rest.slice(0, -1) as [] | [requirement: Requirement<IncomingMessage>]
  if (typeof handler !== 'function') throw new TypeError('protect: the last argument must be the handler')
  validateGuard(guard)
  validateRequirement(requirement)
  return (req, res) => {
    if (isOptions(req)) return res.writeHead(204).end()
    return settle(
      () => guard.authenticate(req, ...requirement),
      (auth) => handler(req, res, auth),
      ({ status, headers, body }): unknown => {
        res.statusCode = status
        for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
        return res.end(body)
      },
    )
  }
}
