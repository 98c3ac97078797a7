import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { checkMembers } from '../core/strict-options.ts'
import { AuthError } from '../errors.ts'
import type { App } from './app.ts'
import type { Platform, Sent } from './env.ts'
import { admissionOf } from './login-admission.ts'

/** A request, perhaps with a body that a framework has read already. */
export type NodeRequest = IncomingMessage & { body?: unknown }
/** `next` may be that of Express, or `done` of a hook of Fastify. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse, next?: (error?: Error) => void) => void

/**
 * What can be served: an auth server, or an app around one. Without `clientAddress` a caller's
 * address is that of the connection.
 */
export type Servable = Pick<App, 'fetch' | 'handles'> & Partial<Pick<App, 'clientAddress' | 'forwardedHeader'>>

export interface NodeHandlerOptions {
  /**
   * Puts lighter classes in place of the global `Request` and `Response`, as Hono on Node does by
   * default: a reply then needs no web stream. It concerns the whole process and stays so: for one
   * that is nothing but an auth server. Default false.
   */
  readonly overrideGlobalObjects?: boolean
}

/**
 * Serves an auth server from node:http, Express, or anything that speaks `(req, res, next?)`. Paths
 * that are not ours go to `next()`; without it they get 404. Ours count as sent: `/x/../login` and
 * `/%6cogin` are not ours. An already parsed `req.body` is used. Under a prefix it sees the path
 * without it, as Express mounts do.
 */
export function toNodeHandler(auth: Servable, options: NodeHandlerOptions = {}): NodeHandler {
  checkServable(auth)
  const { overrideGlobalObjects = false } = checkMembers('toNodeHandler', options, ['overrideGlobalObjects'])
  let platform: Platform = {}
  // It calls back at once, so `platform` is still of the same request.
  const listen = getRequestListener((request) => auth.fetch(request, platform), { overrideGlobalObjects })
  // Before the request is made: of a thousand that come in one turn, each costs time only in its
  // own.
  const admission = admissionOf(auth)
  return (request, response, next) => {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    const isOurs = auth.handles(path)
    if (next !== undefined && !isOurs) return next()
    // Parsers go by the content type; without one, what some leave here is not what was sent.
    const parsed = request.headers['content-type'] !== undefined && request.body !== undefined && request.body !== null
    if (parsed && !isPlaceholder(request)) attachBody(request)
    const { url } = request
    const begin = () => {
      // Whoever cut a prefix off for us may have put it back meanwhile.
      const now = request.url
      // What is not ours might be once it is made a URL.
      request.url = isOurs ? url : '/'
      const sent = { path: isOurs ? undefined : path, admitted: admission !== undefined }
      platform = platformOf(request, response, sent)
      listen(request, response).catch((error) => {
        if (next !== undefined) next(error)
        else response.destroy(error)
      })
      request.url = now
    }
    const start = () => {
      const turn = isOurs ? admission?.enter(path, () => addressOf(auth, request)) : undefined
      if (turn === undefined) begin()
      else void turn.then(begin)
    }
    // Without a socket the reply waits for one before it on the same connection: until then a
    // sender of thousands at once is given nothing to hold.
    if (response.socket === null) void new Promise((ready) => response.once('socket', ready)).then(start)
    else start()
  }
}

function checkServable(auth: Servable): void {
  if (typeof auth?.fetch === 'function' && typeof auth.handles === 'function') return
  const isPromise = typeof (auth as unknown as Promise<unknown> | undefined)?.then === 'function'
  const got = isPromise ? 'got a promise, which is what createAuth returns' : 'needs an auth server'
  throw new AuthError('config_invalid', `toNodeHandler ${got}: write toNodeHandler(await createAuth(options))`)
}

function platformOf(
  request: IncomingMessage,
  response: ServerResponse,
  sent: Pick<Sent, 'path' | 'admitted'>,
): Platform {
  const { headers, rawHeaders, socket } = request
  const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  const malformed = hasTwoHosts(rawHeaders) ? 'The request has more than one Host field' : undefined
  return { address: socket.remoteAddress, response, sent: { ...sent, forwarded, malformed } }
}

/**
 * RFC 9112 §3.2. Node goes by the first and says nothing; a proxy in front may have gone by the
 * other.
 */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

function addressOf(
  { clientAddress, forwardedHeader = 'x-forwarded-for' }: Servable,
  { socket, headers }: NodeRequest,
): string | undefined {
  const forwarded = headers[forwardedHeader]
  if (clientAddress === undefined) return socket.remoteAddress
  return clientAddress(socket.remoteAddress, Array.isArray(forwarded) ? forwarded.join(',') : forwarded)
}

/**
 * The stream is spent when a framework has parsed the body; the listener takes these bytes instead.
 */
function attachBody(request: NodeRequest): void {
  const { body } = request
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')
  const written = () => (isForm ? formOf(body as object) : JSON.stringify(body))
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : written())
  Object.assign(request, { rawBody: bytes })
}

/**
 * Some parsers leave `{}` where they found a type that is not theirs: then the stream still has the
 * body.
 */
function isPlaceholder(request: NodeRequest): boolean {
  const { body } = request
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0 && !request.readableDidRead
}

/**
 * What a parser made of a form, as a form again; what came twice comes twice. Of parts of a value,
 * as `a[b]=c` gives some, nothing can be made.
 */
function formOf(parsed: object): string {
  const pairs = Object.entries(parsed).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
  return pairs.every(([, value]) => typeof value === 'string') ? new URLSearchParams(pairs).toString() : NO_FORM
}

/** Refused, whoever reads it: a percent sign stands alone. */
const NO_FORM = '%'
