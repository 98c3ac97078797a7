import type { Servable } from '../http/node.ts'
import { REFRESH_COOKIE } from './demo.ts'

/** What the server saw of a request to a route that reads the refresh cookie, and its reply. */
export interface SeenRequest {
  /** Increases by one with each request. */
  readonly id: number
  readonly method: string
  readonly path: string
  readonly origin: string | null
  /** The header `Sec-Fetch-Site`. */
  readonly site: string | null
  /** Whether the refresh cookie arrived. Its value is not kept. */
  readonly cookie: boolean
  readonly status: number
  /** The `code` of a refusal. */
  readonly code: string | null
}

/** An auth server whose last requests to `/refresh` and `/logout` can be looked at. */
interface Watched {
  readonly servable: Servable
  readonly seen: readonly SeenRequest[]
}

const PATHS = ['/refresh', '/logout']

/** How many requests are kept. */
const KEPT = 20

/** Watches an auth server, so that a step can show what arrived from a foreign page. */
export function watch(auth: Servable): Watched {
  const seen: SeenRequest[] = []
  let last = 0
  const record = async ({ method, url, headers }: Request, reply: Response) => {
    const { pathname: path } = new URL(url)
    if (!PATHS.includes(path)) return
    last += 1
    const entry = {
      ...{ id: last, method, path, origin: headers.get('Origin'), site: headers.get('Sec-Fetch-Site') },
      cookie: hasRefreshCookie(headers),
      ...{ status: reply.status, code: await codeOf(reply) },
    }
    seen.push(entry)
    if (seen.length > KEPT) seen.shift()
  }
  const { handles, admit } = auth
  const fetch: Servable['fetch'] = async (request, platform) => {
    const reply = await auth.fetch(request, platform)
    // Recorded before it is sent: the page asks what was seen as soon as it has the reply.
    await record(request, reply)
    return reply
  }
  return { servable: { fetch, handles, ...(admit !== undefined && { admit }) }, seen }
}

/** Whether a request carries the refresh cookie of the lesson. */
export function hasRefreshCookie(headers: Headers): boolean {
  const cookies = headers.get('Cookie')?.split(';') ?? []
  return cookies.some((cookie) => cookie.trim().startsWith(`${REFRESH_COOKIE}=`))
}

async function codeOf(reply: Response): Promise<string | null> {
  if (reply.status < 400) return null
  const { code } = (await reply.clone().json()) as { code: string }
  return code
}
