import { etag, RETAINED_304_HEADERS } from 'hono/etag'

/** Returns 304 if the client has the reply (RFC 9110 §13.1.2), with the headers that CORS needs. */
export const withTags = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, 'access-control-allow-origin', 'content-security-policy'],
})

/** The OpenAPI description of such a reply. */
export const taggedReply = {
  headers: { ETag: { description: 'Send this value in If-None-Match.', schema: { type: 'string' } } },
} as const
export const notModified = { description: 'Unchanged since the reply with this `ETag`', ...taggedReply }
