import { type Access, readAccess } from './access.ts'
import type { ClientError } from './errors.ts'
import { between, pause } from './pauses.ts'
import { type CallServer, PATIENCE_MS } from './server-calls.ts'
import type { Stored, TokenStore } from './storage.ts'
import { joinTabs, type News, type Tabs } from './tabs.ts'
import type { Session, TokenResponse } from './types.ts'

type Listener = (session: Session | undefined) => void

/** What the keeper needs. */
export interface KeeperOptions {
  readonly call: CallServer
  /** Where the refresh token is; undefined in cookie mode. */
  readonly store: TokenStore | undefined
  /** Sent with each refresh. */
  readonly device: string | undefined
  /** By which the tabs find each other; undefined if they share nothing. */
  readonly channel: string | undefined
}

/** A confirmation is optional, so nobody waits long for it. */
const CONFIRM_PATIENCE_MS = 3000
/** Until then, the other tabs can read what one has stored. Mostly it takes a few milliseconds. */
const VISIBLE_MS = 500
/** A second attempt does not wait longer than this. */
const LONGEST_PAUSE_MS = 5000
/** A wish of the server to be left alone is not respected for longer than this. */
const LONGEST_REST_MS = 60_000

/** Keeps one session alive. */
export class SessionKeeper {
  readonly #call: CallServer
  readonly #store: TokenStore | undefined
  readonly #device: string | undefined
  readonly #tabs?: Tabs
  readonly #listeners = new Set<Listener>()
  #access: Access | undefined
  /** Raised by a log-in and a log-out: the reply to an earlier refresh then no longer counts. */
  #epoch = 0
  #refreshing: Promise<Access | undefined> | undefined
  /** Ends the request of the refresh. */
  #controller: AbortController | undefined
  /** The log-ins and log-outs until now. */
  #gate: Promise<unknown> = Promise.resolve()
  /** Ends the waiting for a log-in of another tab. */
  readonly #entered: (() => void)[] = []
  /** When the server asked not to be called again before, and the error with which it did. */
  #rest: { readonly until: number; readonly error: unknown } | undefined
  /** What the listeners were told. */
  #told: string | undefined

  constructor({ call, store, device, channel }: KeeperOptions) {
    this.#call = call
    this.#store = store
    this.#device = device
    if (channel) this.#tabs = joinTabs(channel, (news) => void this.#heard(news))
    globalThis.addEventListener?.('pageshow', this.#shown)
  }

  /**
   * Returns a token that has not expired, refreshed if necessary; undefined if nobody is logged in.
   *
   * @param refused a token that the server has just refused: it is not returned again
   */
  async token(refused?: string): Promise<Access | undefined> {
    if (this.#access?.token === refused) this.#access = undefined
    const access = this.#access
    const now = performance.now()
    if (!access || now >= access.expiresAt) return this.#refresh()
    if (now >= access.refreshAt) {
      // This token serves the request. If the refresh fails, there is another one in a while.
      this.#access = { ...access, refreshAt: now + between(5000, 10_000) }
      this.#refreshInBackground()
    }
    return access
  }

  /** Starts a session with the reply to a log-in; undefined if `send` returns undefined. */
  begin(send: () => Promise<TokenResponse | undefined>) {
    return this.#alone(async () => {
      this.#tabs?.tell('entering')
      try {
        const sentAt = performance.now()
        const reply = await send()
        if (!reply) return undefined
        const next = readAccess(reply, sentAt)
        const before = await this.#store?.begin(next.session.id, reply.refresh_token as string)
        this.#access = next
        this.#tell()
        // In cookie mode the server does this.
        if (before) this.#logout({ refresh_token: before.token }).catch(() => {})
        return { ...reply, session: next.session }
      } finally {
        this.#tabs?.tell('login')
      }
    })
  }

  /** Ends the session on the server, and forgets it. */
  async end(scope: string): Promise<void> {
    const stored = await this.#alone(async () => {
      // Only the server can delete the cookie.
      if (!this.#store) await this.#logout({ scope })
      return this.#forget()
    })
    if (stored) await this.#logout({ scope, refresh_token: stored.token })
  }

  /** Forgets a session that the server has ended. */
  forget(): Promise<unknown> {
    return this.#alone(() => this.#forget())
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#listeners.clear()
    this.#tabs?.close()
    globalThis.removeEventListener?.('pageshow', this.#shown)
  }

  /**
   * Log-ins and log-outs wait for each other. A refresh is interrupted by them, since its late
   * reply would replace the new cookie, or waits for them.
   */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#gate.then(() => {
      this.#interrupt()
      return work()
    })
    this.#gate = run.catch(() => {})
    return run
  }

  #interrupt(): void {
    this.#epoch++
    this.#refreshing = undefined
    this.#rest = undefined
    this.#controller?.abort()
  }

  async #heard(news: News): Promise<void> {
    if (news === 'entering') {
      // Until the log-in of another tab is over, which may be closed before that.
      const over = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS)
        this.#entered.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
      return this.#alone(() => over)
    }
    // What the other tab has stored becomes visible after what it said.
    if (this.#store) await pause(VISIBLE_MS)
    for (const resolve of this.#entered.splice(0)) resolve()
    const stored = await this.#store?.read().catch(() => undefined)
    if (stored && stored.session === this.#access?.session.id) return
    this.#interrupt()
    this.#access = undefined
    if (this.#store || news === 'login') this.#refreshInBackground()
    else this.#tell()
  }

  /** A page that comes back from the back-forward cache has missed what the other tabs said. */
  readonly #shown = ({ persisted }: { readonly persisted?: boolean }): void => {
    if (persisted) void this.#heard('login')
  }

  #tell(): void {
    const session = this.#access?.session
    const text = JSON.stringify([session])
    if (text === this.#told) return
    this.#told = text
    // Not from here: a listener that throws must not fail a request.
    for (const listener of this.#listeners) queueMicrotask(() => listener(session))
  }

  #refreshInBackground(): void {
    this.#refresh().catch(() => {})
  }

  /** Single flight: whoever needs a token meanwhile gets the same one. */
  #refresh(): Promise<Access | undefined> {
    if (this.#refreshing === undefined) {
      const own = this.#gate
        .then(() => this.#refreshTwice(this.#epoch))
        .finally(() => {
          if (this.#refreshing === own) this.#refreshing = undefined
        })
      this.#refreshing = own
    }
    return this.#refreshing
  }

  async #refreshTwice(epoch: number): Promise<Access | undefined> {
    if (this.#rest && performance.now() < this.#rest.until) throw this.#rest.error
    try {
      return await this.#refreshOnce(epoch)
    } catch (error) {
      const { status, retryAfter = 0 } = error as ClientError
      const wait = retryAfter * 1000
      if (wait) this.#rest = { until: performance.now() + Math.min(wait, LONGEST_REST_MS), error }
      // The reply may be lost, or the server restarting. It gives the same token again.
      const mayHelp = !status || status >= 500 || wait
      if (!mayHelp || wait > LONGEST_PAUSE_MS) throw error
      await pause(wait + between(300, 1000))
      return this.#refreshOnce(epoch)
    }
  }

  async #refreshOnce(epoch: number): Promise<Access | undefined> {
    this.#controller = new AbortController()
    const stored = await this.#store?.read()
    if (epoch !== this.#epoch) return this.token()
    if (this.#store && !stored) return this.#drop()
    try {
      const sentAt = performance.now()
      const body: TokenResponse = await this.#call({
        path: '/refresh',
        body: { refresh_token: stored?.token, device: this.#device },
        controller: this.#controller,
      })
      const next = readAccess(body, sentAt)
      if (epoch !== this.#epoch) return this.token()
      if (!(await this.#keep(body, stored))) return this.#refreshOnce(epoch)
      if (epoch !== this.#epoch) return this.token()
      this.#access = next
      this.#tell()
      return next
    } catch (error) {
      if (epoch !== this.#epoch) return this.token()
      if (!isRefused(error as ClientError)) throw error
      // Another tab may have stored a newer token, or logged in again.
      const current = await this.#store?.read()
      if (epoch !== this.#epoch) return this.token()
      if (current?.token !== stored?.token) return this.#refreshOnce(epoch)
      this.#drop()
      if (stored) await this.#store?.write(stored.session)
      return undefined
    }
  }

  /**
   * Stores a successor, then confirms it; the caller uses it after that.
   *
   * @returns false if another tab has logged out, or logged in again
   */
  async #keep({ session, refresh_token }: TokenResponse, presented: Stored | undefined): Promise<boolean> {
    const store = this.#store
    if (!store || (refresh_token !== presented?.token && (await store.write(session.id, refresh_token)))) {
      // Optional: without it, the server accepts the previous token for longer.
      await this.#call({
        path: '/refresh/confirm',
        body: { refresh_token },
        patience: CONFIRM_PATIENCE_MS,
      }).catch(() => {})
    }
    if (!store || (await store.read())?.session === session.id) return true
    // This tab could not see that when it stored the token.
    await store.write(session.id)
    return false
  }

  /** It is no error if the session has ended already, or if there is none. */
  async #logout(body: object): Promise<void> {
    await this.#call({ path: '/logout', body, keepalive: true }).catch((error) => {
      if (error.code !== 'invalid_grant' && error.code !== 'token_missing') throw error
    })
  }

  /** Nobody is logged in. */
  #drop(): undefined {
    this.#access = undefined
    this.#tell()
  }

  async #forget(): Promise<Stored | undefined> {
    const stored = await this.#store?.clear()
    this.#drop()
    this.#tabs?.tell('logout')
    return stored
  }
}

/** Whether there is no session. Nothing else logs the user out. */
function isRefused({ code, errors = [] }: ClientError): boolean {
  // The second is what the server says when the browser sent no cookie.
  return code === 'invalid_grant' || errors.some(({ path }) => path === '/refresh_token')
}
