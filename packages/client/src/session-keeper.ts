import { type Access, readAccess } from './access.ts'
import type { ClientError } from './errors.ts'
import { callServer, type ServerCall } from './server-calls.ts'
import type { TokenStore } from './storage.ts'
import { joinTabs } from './tabs.ts'
import type { Session, TokenResponse } from './types.ts'

/** What the keeper needs. */
export interface KeeperOptions {
  readonly baseUrl: string
  /** Where the refresh token is; undefined in cookie mode. */
  readonly store: TokenStore | undefined
  /** Sent with each refresh. */
  readonly device: string | undefined
}

/** Keeps one session alive. */
export interface SessionKeeper {
  /**
   * Returns a token that has not expired, refreshed if necessary; undefined if nobody is logged in.
   *
   * @param refused a token that the server has just refused: it is not returned again
   */
  token(refused?: string): Promise<Access | undefined>
  /** Starts a session with the reply to a log-in. */
  begin(body: TokenResponse, sentAt: number): Promise<Session>
  /** Forgets the session, here and in the other tabs, and returns its refresh token. */
  end(): Promise<string | undefined>
  onChange(listener: (session: Session | undefined) => void): () => void
  close(): void
}

/** How long a second attempt waits, at random: the first one may have failed for many at once. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [300, 1000]

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure, each part of it short
export function createSessionKeeper({ baseUrl, store, device }: KeeperOptions): SessionKeeper {
  const listeners = new Set<(session: Session | undefined) => void>()
  let access: Access | undefined
  /** Raised by a log-in and a log-out: the reply to an earlier refresh then no longer counts. */
  let epoch = 0
  let refreshing: Promise<Access | undefined> | undefined
  /** When the server asked not to be called again before. */
  let notBefore = 0
  /** What the listeners were told; null before the first time. */
  let told: string | null = null

  const tabs = joinTabs(`sealwax ${baseUrl}`, (news) => {
    epoch += 1
    refreshing = undefined
    access = undefined
    if (news === 'logout') tell()
    else void token().catch(() => {})
  })
  /** A page that comes back from the back-forward cache has missed what the other tabs said. */
  const shown = (event: { readonly persisted?: boolean }) => {
    if (!event.persisted) return
    access = undefined
    void token().catch(() => {})
  }
  globalThis.addEventListener?.('pageshow', shown)

  function call(given: ServerCall) {
    return callServer(baseUrl, { ...given, withCookie: store === undefined })
  }

  function tell(): void {
    const session = access?.session
    const text = JSON.stringify(session ?? null)
    if (text === told) return
    told = text
    for (const listener of listeners) listener(session)
  }

  async function token(refused?: string): Promise<Access | undefined> {
    if (access?.token === refused) access = undefined
    const now = performance.now()
    if (access === undefined || now >= access.expiresAt) return refresh()
    // The token that there is serves this request.
    if (now >= access.refreshAt && now >= notBefore) void refresh().catch(() => {})
    return access
  }

  /** Single flight: whoever needs a token meanwhile gets the same one. */
  function refresh(): Promise<Access | undefined> {
    if (refreshing !== undefined) return refreshing
    const own = refreshTwice(epoch).finally(() => {
      if (refreshing === own) refreshing = undefined
    })
    refreshing = own
    return own
  }

  async function refreshTwice(began: number): Promise<Access | undefined> {
    try {
      return await refreshOnce(began)
    } catch (error) {
      const { status, retryAfter } = error as ClientError
      if (retryAfter !== undefined) notBefore = performance.now() + retryAfter * 1000
      // The reply may be lost, or the server restarting. It gives the same token again.
      if (status !== 0 && status < 500) throw error
      const pause = SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS)
      if (retryAfter !== undefined && retryAfter * 1000 > pause) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
      return refreshOnce(began)
    }
  }

  async function refreshOnce(began: number): Promise<Access | undefined> {
    const stored = await store?.read()
    if (store !== undefined && stored === undefined) return dropped(began)
    const sentAt = performance.now()
    let body: TokenResponse
    try {
      body = await call({
        path: '/refresh',
        body: { ...(stored && { refresh_token: stored.token }), ...(device !== undefined && { device }) },
      })
    } catch (error) {
      if (began !== epoch) return token()
      if ((error as ClientError).code !== 'invalid_grant') throw error
      // Another tab may have stored a newer token, or logged in again.
      const current = await store?.read()
      if (current !== undefined && current.token !== stored?.token) return refreshOnce(began)
      await store?.clear()
      return dropped(began)
    }
    const next = readAccess(body, sentAt)
    if (began !== epoch) return token()
    await keep(body, stored?.token)
    if (began !== epoch) return token()
    access = next
    tell()
    return access
  }

  /** Stores a successor, then confirms it. The caller uses it after that. */
  async function keep(body: TokenResponse, presented: string | undefined): Promise<void> {
    const { refresh_token } = body
    if (store === undefined) return confirm(undefined)
    if (refresh_token === undefined || refresh_token === presented) return
    const current = await store.read()
    // Another tab has logged out, or logged in again.
    if (current === undefined || current.session !== body.session.id) return
    if (await store.write({ session: body.session.id, token: refresh_token })) await confirm(refresh_token)
  }

  /** Optional: without it, the server accepts the previous token for longer. */
  async function confirm(refresh_token: string | undefined): Promise<void> {
    await call({ path: '/refresh/confirm', body: refresh_token === undefined ? {} : { refresh_token } }).catch(() => {})
  }

  function dropped(began: number): undefined {
    if (began !== epoch) return
    access = undefined
    tell()
  }

  return {
    token,
    async begin(body, sentAt) {
      const next = readAccess(body, sentAt)
      epoch += 1
      refreshing = undefined
      if (body.refresh_token !== undefined) await store?.write({ session: body.session.id, token: body.refresh_token })
      access = next
      tell()
      tabs.tell('login')
      return next.session
    },
    async end() {
      epoch += 1
      refreshing = undefined
      access = undefined
      const stored = await store?.read()
      await store?.clear()
      tell()
      tabs.tell('logout')
      return stored?.token
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      listeners.clear()
      tabs.close()
      globalThis.removeEventListener?.('pageshow', shown)
    },
  }
}
