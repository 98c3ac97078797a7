import { createRoute, z } from '@hono/zod-openapi'
import type { Revocation } from '@sealwax/guard'
import { type Guard, GuardError } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import { isClientToken } from '../core/client-id.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { jsonReply, refusals } from '../http/schemas.ts'
import { createTransmissions } from '../http/transmissions.ts'
import { parsePosition, readNews } from './feed.ts'
import { createFeedPages } from './page-cache.ts'

/** The scope that an API client needs when the feed is not public. */
const READ = 'revocations:read'

const feedPage = z.object({
  cursor: z.string().openapi({ description: 'Where the next page begins: send it as `after`.' }),
  as_of: z.number().openapi({ description: 'When the store was read, in seconds since 1970.' }),
  snapshot: z.boolean().openapi({ description: 'Whether the page begins with the oldest live entry.' }),
  more: z.boolean().openapi({ description: 'Whether another page follows: until it is read, the list is incomplete.' }),
  entries: z.array(z.record(z.string(), z.unknown())),
})

/** The revocation feed. */
export function revocationRoutes({ app, context, guard, requestOrigin }: Edge): void {
  const isPublic = context.config.revocationFeed === 'public'
  const pages = createFeedPages(context)
  const transmit = createTransmissions()

  async function sendPage(c: HonoContext<HttpEnv>, position: string | undefined): Promise<Response> {
    const { ip } = requestOrigin(c)
    const page = await pages.get(position, ip)
    const zipped = acceptsGzip(c.req.header('Accept-Encoding'))
    const body = zipped ? page.gzip : await page.plain()
    await transmit(ip, c.req.raw.signal, c.env.response)
    if (zipped) c.header('Content-Encoding', 'gzip')
    return c.body(body as Uint8Array<ArrayBuffer>, 200, { 'Content-Type': 'application/json' })
  }

  app.openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/revocations',
      operationId: 'readRevocations',
      ...(!isPublic && { security: [{ bearer: [] }], middleware: onlyClients(guard) }),
      summary: 'Live revocations, for remote guards',
      description: `With \`Prefer: wait=25\` (RFC 7240), an empty reply is held back until something is revoked.${
        isPublic ? '' : ` For API clients with the scope ${READ}.`
      }`,
      request: { query: z.object({ after: z.string().max(128).optional() }) },
      responses: {
        200: jsonReply('A page of revocations', feedPage),
        default: refusals('temporarily_unavailable', ...(isPublic ? [] : (['insufficient_scope'] as const))),
      },
    }),
    async (c) => {
      c.header('Cache-Control', 'no-store')
      c.header('Vary', 'Accept-Encoding')
      const wait = Number(/(?:^|[,;\s])wait=(\d{1,4})\b/.exec(c.req.header('Prefer') ?? '')?.[1] ?? 0)
      if (wait > 0) c.header('Preference-Applied', `wait=${wait}`)
      const position = parsePosition(c.req.valid('query').after)
      if (pages.has(position)) return (await sendPage(c, position)) as never
      const page = await readNews(context, position, { wait, signal: c.req.raw.signal, ip: requestOrigin(c).ip })
      // Short replies, the usual case, skip the queue.
      if (!page.more) return c.json({ ...page, entries: page.entries.map(plain) }, 200)
      return (await sendPage(c, page.snapshot ? undefined : position)) as never
    },
  )
}

function plain(entry: Revocation): Record<string, string | number> {
  return { ...entry } as Record<string, string | number>
}

/**
 * Runs before the parameters are validated. Users are refused even if their session has the scope.
 */
function onlyClients(guard: Guard): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const auth = await guard.authenticate(c.req.raw, { scope: READ })
    if (!isClientToken(auth)) throw new GuardError('insufficient_scope', { scopes: [READ] })
    await next()
  }
}

/** RFC 9110 §12.5.3. */
function acceptsGzip(header = ''): boolean {
  const codings = header.split(',').map((coding) =>
    coding
      .trim()
      .toLowerCase()
      .split(/\s*;\s*q=/),
  )
  const [, weight = '1'] = codings.find(([name]) => name === 'gzip') ??
    codings.find(([name]) => name === '*') ?? ['', '0']
  return Number(weight) > 0
}
