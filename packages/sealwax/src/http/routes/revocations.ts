import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Guard, GuardError } from '@sealwax/guard'
import type { Context as HonoContext, MiddlewareHandler } from 'hono'
import type { Context, Revocation } from '../../engine/context.ts'
import { positionOf, readNews } from '../../engine/feed.ts'
import { isClientToken } from '../../engine/grants.ts'
import type { ReadClient } from '../client.ts'
import type { HttpEnv } from '../env.ts'
import { createFeedPages } from '../feed-pages.ts'
import { jsonReply, refusals } from '../schemas.ts'
import { createTransmissions } from '../transmissions.ts'

/** The scope that an API client needs where the feed is not public. */
const READ = 'revocations:read'

const feedPage = z.object({
  cursor: z.string().openapi({ description: 'Where to read on: send it as `after`.' }),
  as_of: z.number().openapi({ description: 'When the store was read, in seconds since 1970.' }),
  snapshot: z.boolean().openapi({ description: 'Whether it begins with the oldest entry that is live.' }),
  more: z.boolean().openapi({ description: 'Whether more follows at once: what is known so far is not complete.' }),
  entries: z.array(z.record(z.string(), z.unknown())),
})

export function revocationRoutes(
  app: OpenAPIHono<HttpEnv>,
  context: Context,
  guard: Guard,
  clientOf: ReadClient,
): void {
  const isPublic = context.config.revocationFeed === 'public'
  const pages = createFeedPages(context)
  const transmit = createTransmissions()

  async function sendPage(c: HonoContext<HttpEnv>, position: string | undefined): Promise<Response> {
    const { ip } = clientOf(c)
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
      summary: 'Live revocations, for guards elsewhere',
      description: `With \`Prefer: wait=25\` (RFC 7240) an answer without entries is held back until something is revoked.${
        isPublic ? '' : ` For API clients that have the scope ${READ}.`
      }`,
      request: { query: z.object({ after: z.string().max(128).optional() }) },
      responses: {
        200: jsonReply('A page of what was revoked', feedPage),
        default: refusals('temporarily_unavailable', ...(isPublic ? [] : (['insufficient_scope'] as const))),
      },
    }),
    async (c) => {
      c.header('Cache-Control', 'no-store')
      c.header('Vary', 'Accept-Encoding')
      const wait = Number(/(?:^|[,;\s])wait=(\d{1,4})\b/.exec(c.req.header('Prefer') ?? '')?.[1] ?? 0)
      if (wait > 0) c.header('Preference-Applied', `wait=${wait}`)
      const position = positionOf(c.req.valid('query').after)
      if (pages.has(position)) return (await sendPage(c, position)) as never
      const page = await readNews(context, position, { wait, signal: c.req.raw.signal, ip: clientOf(c).ip })
      // Short ones, as whoever follows gets them, wait for nobody.
      if (!page.more) return c.json({ ...page, entries: page.entries.map(plain) }, 200)
      return (await sendPage(c, page.snapshot ? undefined : position)) as never
    },
  )
}

function plain(entry: Revocation): Record<string, string | number> {
  return { ...entry } as Record<string, string | number>
}

/** Before the parameters are judged. A user is refused, even one whose session has the scope. */
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
