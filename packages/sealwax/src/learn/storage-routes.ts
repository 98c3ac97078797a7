import { type Context, Hono } from 'hono'
import { deleteCookie } from 'hono/cookie'
import { attackPage } from './attack-page.ts'
import { commentsPage } from './comments-page.ts'
import { REFRESH_COOKIE } from './demo.ts'
import { hasRefreshCookie, type SeenRequest } from './seen.ts'

/** The longest comment. */
const MOST_CHARACTERS = 4000

/**
 * The routes of the step about storage: a page with a gap for scripts, and the requests that a
 * foreign page sent.
 */
export function storageRoutes(app: Hono, origin: string, seen: readonly SeenRequest[]): void {
  let comment = ''
  app.get('/learn/comments', (c) => commentsPage(comment, hasRefreshCookie(c.req.raw.headers)))
  app.post('/learn/comments', async (c) => {
    if (!isOwnPage(c)) return refuse(c, 403, 'Only the lesson may post a comment')
    const text = await textOf(c)
    if (text === undefined) return refuse(c, 422, `Send { "text": … } with at most ${MOST_CHARACTERS} characters`)
    comment = text
    return c.body(null, 204)
  })
  // Removes everything that this step may have left: HttpOnly cookies only the server can delete.
  app.delete('/learn/comments', (c) => {
    if (!isOwnPage(c)) return refuse(c, 403, 'Only the lesson may delete the comment')
    comment = ''
    for (const name of [REFRESH_COOKIE, `${REFRESH_COOKIE}-device`]) deleteCookie(c, name, { path: '/' })
    return c.body(null, 204)
  })
  app.get('/learn/api/seen', (c) => c.json({ data: seen }))
  app.get('/learn/attack', () => attackPage(origin))
}

/** Serves the foreign page at another origin of the same site. */
export function neighbourApp(origin: string) {
  const app = new Hono()
  app.get('/learn/attack', () => attackPage(origin))
  return { fetch: async (request: Request) => app.fetch(request), handles: () => true }
}

/**
 * The comment runs as a script of this origin, so no other page may post one. Browsers that do not
 * send `Sec-Fetch-Site` ask before they send JSON to another origin, and get no permission.
 */
function isOwnPage(c: Context): boolean {
  const site = c.req.header('Sec-Fetch-Site') ?? 'same-origin'
  const isJson = c.req.method !== 'POST' || c.req.header('Content-Type') === 'application/json'
  return site === 'same-origin' && isJson
}

async function textOf(c: Context): Promise<string | undefined> {
  const body: unknown = await c.req.json().catch(() => undefined)
  const text = (body as { text?: unknown } | null | undefined)?.text
  return typeof text === 'string' && text.length <= MOST_CHARACTERS ? text : undefined
}

function refuse(c: Context, status: 403 | 422, detail: string): Response {
  return c.json({ status, detail }, status)
}
