import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { AuthError } from '../errors.ts'
import type { HttpEnv } from './env.ts'
import { formDataOf, type IsOAuthPath } from './form.ts'

/** The largest body any of our routes has use for, in bytes. */
const BODY_LIMIT = 16 * 1024

/** Whether a route answers this method at this path. */
export type Answers = (method: string, path: string) => boolean

/**
 * Reads the body before any route does, within the limit: a form for the routes of OAuth, JSON for all others. Where nothing answers nothing is read,
 * so that a wrong path is not told to send another body.
 */
export function bodyReader(isOAuth: IsOAuthPath, answers: Answers): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { method, path } = c.req
    if (method !== 'GET' && method !== 'HEAD' && answers(method, path)) {
      const bytes = await bytesOf(c)
      if (isOAuth(path)) keepForm(c, bytes)
      else keepJson(c, bytes)
    }
    await next()
  }
}

/** The routes read what Hono keeps of a body; its type says a value, its code awaits a promise of it. */
function keep(c: HonoContext<HttpEnv>, kind: 'text' | 'formData', value: string | FormData): void {
  c.req.bodyCache[kind] = Promise.resolve(value) as never
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** The media type, its parameters left aside (RFC 9110 §8.3.1); undefined: none is told. */
function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase()
}

/** What a body is, is judged here alone: Hono asks again, twice and by other rules, and from now on reads this. */
function settle(c: HonoContext<HttpEnv>, contentType: string | undefined, type: string): void {
  if (contentType === type) return
  const { url, method, headers: sent } = c.req.raw
  const headers = new Headers(sent)
  headers.set('Content-Type', type)
  c.req.raw = new Request(url, { method, headers })
}

/** In UTF-8 (RFC 8259 §8.1). An empty body is an object without members, so that a route says what it misses, and one that needs nothing is content. */
function keepJson(c: HonoContext<HttpEnv>, bytes: Uint8Array): void {
  const { method } = c.req
  if (method === 'POST' || method === 'PATCH') {
    const contentType = c.req.header('Content-Type')
    const type = mediaTypeOf(contentType)
    const isJson = type === undefined ? bytes.byteLength === 0 : type === JSON_TYPE
    if (!isJson) throw new AuthError('unsupported_media_type', 'Send application/json')
    settle(c, contentType, JSON_TYPE)
  }
  keep(c, 'text', textOf(bytes) || '{}')
}

/** RFC 6749 App. B. Another media type is `invalid_request`: that is the code which clients of OAuth know. */
function keepForm(c: HonoContext<HttpEnv>, bytes: Uint8Array): void {
  const contentType = c.req.header('Content-Type')
  if (bytes.byteLength > 0 && mediaTypeOf(contentType) !== FORM_TYPE) {
    throw new AuthError('invalid_request', 'Send application/x-www-form-urlencoded')
  }
  settle(c, contentType, FORM_TYPE)
  keep(c, 'formData', formDataOf(Buffer.from(bytes).toString('latin1')))
}

async function bytesOf(c: HonoContext<HttpEnv>): Promise<Uint8Array> {
  const request = c.req.raw
  const length = c.req.header('Content-Length')
  if (Number(length) > BODY_LIMIT) throw tooLarge()
  const declared = length !== undefined && c.req.header('Transfer-Encoding') === undefined
  try {
    return declared ? new Uint8Array(await request.arrayBuffer()) : await collect(request.body)
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    throw new AuthError('invalid_request', 'The request body could not be read to its end', { cause })
  }
}

/** Reads a body of unknown length, and no further than the limit. */
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

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AuthError('malformed_json', 'The request body is not UTF-8', { cause })
  }
}

function tooLarge(): AuthError {
  return new AuthError('payload_too_large', `The request body is larger than ${BODY_LIMIT} bytes`)
}
