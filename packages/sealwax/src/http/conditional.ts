import { etag, RETAINED_304_HEADERS } from 'hono/etag'

/** Answers 304 to whoever has the reply already (RFC 9110 §13.1.2). Without the added headers a 304 would be of no use to a page elsewhere. */
export const withTags = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, 'access-control-allow-origin', 'content-security-policy'],
})

/** How the document speaks of such a reply. */
export const taggedReply = {
  headers: { ETag: { description: 'Send it back in If-None-Match.', schema: { type: 'string' } } },
} as const
export const notModified = { description: 'As it was when that `ETag` was given', ...taggedReply }
