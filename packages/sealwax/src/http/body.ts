import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { AuthError } from '../errors.ts'
import type { HttpEnv } from './env.ts'
import { parseForm } from './form.ts'

/** The largest accepted body in bytes. */
const BODY_LIMIT = 16 * 1024

/** Whether there is a route for this method and path. */
export type Answers = (method: string, path: string) => boolean

/**
 * Reads the body within the limit before the routes: a form for OAuth routes and pages, JSON for
 * all others. The body of an unknown path is not read, so that it gets 404 rather than an error
 * about the body.
 */
export function bodyReader(takesForm: (path: string) => boolean, answers: Answers): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { method, path } = c.req
    if (method !== 'GET' && method !== 'HEAD' && answers(method, path)) {
      const bytes = await readBytes(c)
      if (takesForm(path)) keepForm(c, bytes)
      else keepJson(c, bytes)
    }
    await next()
  }
}

/**
 * Stores the body in Hono's cache for the routes. The cache is typed for a value, but Hono awaits a
 * promise.
 */
function keep(c: HonoContext<HttpEnv>, kind: 'text' | 'formData', value: string | FormData): void {
  c.req.bodyCache[kind] = Promise.resolve(value) as never
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** The media type without parameters (RFC 9110 §8.3.1). */
function parseMediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase()
}

/** Sets the media type that Hono reads; otherwise Hono would apply its own rules. */
function settle(c: HonoContext<HttpEnv>, contentType: string | undefined, type: string): void {
  if (contentType === type) return
  const { url, method, headers: sent } = c.req.raw
  const headers = new Headers(sent)
  headers.set('Content-Type', type)
  c.req.raw = new Request(url, { method, headers })
}

/**
 * JSON in UTF-8 (RFC 8259 §8.1). An empty body counts as `{}`, so that the error names missing
 * members.
 */
function keepJson(c: HonoContext<HttpEnv>, bytes: Uint8Array): void {
  const { method } = c.req
  const contentType = c.req.header('Content-Type')
  if (method === 'POST' || method === 'PATCH') {
    const type = parseMediaType(contentType)
    const isJson = type === undefined ? bytes.byteLength === 0 : type === JSON_TYPE
    if (!isJson) throw new AuthError('unsupported_media_type', 'Send application/json')
    settle(c, contentType, JSON_TYPE)
  } else if (contentType === undefined && bytes.byteLength === 0) {
    // A DELETE without its optional body: Hono would refuse the missing media type.
    settle(c, contentType, JSON_TYPE)
  }
  keep(c, 'text', decodeText(bytes) || '{}')
}

/**
 * A form (RFC 6749 App. B). Another media type is `invalid_request`, a code that OAuth clients
 * know.
 */
function keepForm(c: HonoContext<HttpEnv>, bytes: Uint8Array): void {
  const contentType = c.req.header('Content-Type')
  if (bytes.byteLength > 0 && parseMediaType(contentType) !== FORM_TYPE) {
    throw new AuthError('invalid_request', 'Send application/x-www-form-urlencoded')
  }
  settle(c, contentType, FORM_TYPE)
  keep(c, 'formData', parseForm(Buffer.from(bytes).toString('latin1')))
}

async function readBytes(c: HonoContext<HttpEnv>): Promise<Uint8Array> {
  const request = c.req.raw
  const length = c.req.header('Content-Length')
  if (Number(length) > BODY_LIMIT) throw tooLarge()
  const declared = length !== undefined && c.req.header('Transfer-Encoding') === undefined
  try {
    return declared ? new Uint8Array(await request.arrayBuffer()) : await collect(request.body)
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    throw new AuthError('invalid_request', 'The request body is incomplete', { cause })
  }
}

/** Reads a body of unknown length up to the limit. */
async function collect(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > BODY_LIMIT) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AuthError('malformed_json', 'The request body is not UTF-8', { cause })
  }
}

function tooLarge(): AuthError {
  return new AuthError('payload_too_large', `The request body is larger than ${BODY_LIMIT} bytes`)
}
