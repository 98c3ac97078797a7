import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { checkMembers } from '../core/strict-options.ts'
import { AuthError } from '../errors.ts'
import type { App } from './app.ts'
import type { Platform } from './env.ts'

/** A request, perhaps with a body that a framework has read already. */
export type NodeRequest = IncomingMessage & { body?: unknown }
/** `next` may be that of Express, or `done` of a hook of Fastify. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse, next?: (error?: Error) => void) => void

/**
 * What `toNodeHandler` can serve: an auth server, or an app around one. Without `admit`, a
 * `Request` is created for each log-in as soon as it arrives.
 */
export type Servable = Pick<App, 'fetch' | 'handles'> & Partial<Pick<App, 'admit'>>

/** Options of {@link toNodeHandler}. */
export interface NodeHandlerOptions {
  /**
   * Replaces the global `Request` and `Response` by lighter classes, as Hono on Node does by
   * default: responses then need no web stream. This changes the whole process for good, so use it
   * only in one that is nothing but an auth server. Default: false.
   */
  readonly overrideGlobalObjects?: boolean
}

/**
 * Serves an auth server from node:http, Express, or anything that calls `(req, res, next?)`. Other
 * paths are passed to `next()`, or get 404 without it. Paths are compared as they were sent:
 * `/x/../login` and `/%6cogin` are not `/login`. A `req.body` that was parsed before is used. When
 * mounted under a prefix, as in Express, it sees the path without the prefix.
 *
 * @throws {AuthError} `config_invalid` for what is not an auth server
 */
export function toNodeHandler(auth: Servable, options: NodeHandlerOptions = {}): NodeHandler {
  checkServable(auth)
  const { overrideGlobalObjects = false } = checkMembers('toNodeHandler', options, ['overrideGlobalObjects'])
  let platform: Platform = {}
  // The listener calls `fetch` synchronously, so `platform` still belongs to the same request.
  const listen = getRequestListener((request) => auth.fetch(request, platform), { overrideGlobalObjects })
  return (request, response, next) => {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    const isOurs = auth.handles(path)
    if (next !== undefined && !isOurs) return next()
    // Without a content type, `body` is a default that some parsers set.
    const parsed = request.body !== undefined && request.body !== null && request.headers['content-type'] !== undefined
    if (parsed && !isPlaceholder(request)) attachBody(request)
    const { url, socket } = request
    const begin = () => {
      // A router that removed a prefix may have restored it while we waited.
      const now = request.url
      // Another path could become one of ours when the URL is normalized.
      request.url = isOurs ? url : '/'
      platform = {
        address: socket.remoteAddress,
        response,
        sent: { ...describeSent(request, isOurs ? undefined : path), admitted: auth.admit !== undefined },
      }
      listen(request, response).catch((error) => {
        if (next !== undefined) next(error)
        else response.destroy(error)
      })
      request.url = now
    }
    const beginIfConnected = () => {
      if (!socket.destroyed) begin()
    }
    const start = () => {
      const turn = auth.admit?.(
        path,
        () => socket.remoteAddress,
        (name) => request.headers[name]?.toString(),
      )
      if (turn === undefined) begin()
      else void turn.then(beginIfConnected)
    }
    // Without a socket, this response waits for an earlier one on the same connection (pipelining).
    // Until then nothing is created for it.
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

function describeSent({ headers, rawHeaders }: IncomingMessage, path: string | undefined) {
  const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  const malformed = hasTwoHosts(rawHeaders) ? 'The request has more than one Host field' : undefined
  return { path, forwarded, malformed }
}

/**
 * RFC 9112 §3.2. Node uses the first Host field without an error; a proxy may have used another
 * one.
 */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/**
 * Serializes a body that a framework has parsed: its stream is consumed, so the listener reads
 * `rawBody` instead.
 */
function attachBody(request: NodeRequest): void {
  const { body } = request
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')
  const written = () => (isForm ? formOf(body as object) : JSON.stringify(body))
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : written())
  Object.assign(request, { rawBody: bytes })
}

/**
 * Whether `body` is the `{}` that some parsers set for a media type they do not parse. The stream
 * then still has the body.
 */
function isPlaceholder(request: NodeRequest): boolean {
  const { body } = request
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0 && !request.readableDidRead
}

/**
 * Encodes a parsed form again, repeated fields included. Nested values, such as those of `a[b]=c`,
 * cannot be encoded.
 */
function formOf(parsed: object): string {
  const pairs = Object.entries(parsed).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
  return pairs.every(([, value]) => typeof value === 'string') ? new URLSearchParams(pairs).toString() : NO_FORM
}

/** Not a valid form, so that it is refused. */
const NO_FORM = '%'
