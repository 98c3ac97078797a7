import { type Account, accountCalls } from './account.ts'
import { ClientError, readError } from './errors.ts'
import { callServer } from './server-calls.ts'
import { createSessionKeeper } from './session-keeper.ts'
import { type ClientStorage, createTokenStore, memoryStorage } from './storage.ts'
import type { Session, TokenResponse, User } from './types.ts'

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** The URL of the auth server with its base path, such as `https://example.com/auth`. */
  readonly baseUrl: string
  /** Other origins that get the access token, such as `https://api.example.com`. Default none. */
  readonly apiOrigins?: readonly string[]
  /**
   * `cookie`: the refresh token is in a cookie that scripts cannot read, the access token in
   * memory. `token`: the refresh token is in `storage`. Default `cookie` in a browser, otherwise
   * `token`.
   */
  readonly mode?: 'cookie' | 'token'
  /** Where token mode keeps the refresh token. Default: in memory, until the process ends. */
  readonly storage?: ClientStorage
  /**
   * An id of this installation, 1 to 128 visible ASCII characters, for programs that send no user
   * agent. With it, the server recognises the device when a reply was lost. Default none.
   */
  readonly device?: string
}

/** The body of a log-in. */
export interface Credentials {
  readonly email: string
  readonly password: string
  /** With `false`, the session ends within a day of its last use. Default true. */
  readonly remember?: boolean
}

/** The body of a sign-up. */
export interface SignUp {
  readonly email?: string
  readonly password: string
  readonly remember?: boolean
  readonly name?: string
  readonly attributes?: Readonly<Record<string, unknown>>
  /** The token of an invitation, instead of `email`. */
  readonly invitation?: string
}

/** What a log-in returns. */
export interface LoggedIn {
  readonly session: Session
  readonly user: User
}

/** Keeps a user logged in. */
export interface Client extends Account {
  /**
   * Logs in.
   *
   * @throws {ClientError} `invalid_credentials`, `too_many_attempts`, `user_disabled`, …
   */
  login(credentials: Credentials): Promise<LoggedIn>
  /**
   * Signs up. Resolves with undefined when the server has sent a mail that must be answered first.
   *
   * @throws {ClientError} `email_taken`, `validation_failed`, `registration_disabled`, …
   */
  register(signUp: SignUp): Promise<LoggedIn | undefined>
  /**
   * Ends the session, all others of the user, or all. The client forgets its session in any case;
   * if the server could not be told, the promise rejects: the session then ends by itself.
   */
  logout(options?: { readonly scope?: 'current' | 'others' | 'all' }): Promise<void>
  /**
   * `fetch` with an access token that has not expired. If the API refuses it as expired or stale,
   * it is refreshed and the request sent once more, unless its body is a stream. A relative URL is
   * relative to the page, or to `baseUrl` where there is no page.
   *
   * @throws {ClientError} `logged_out`, `origin_not_allowed`, and what a refresh can throw
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /**
   * Returns who is logged in, undefined if nobody is. Asks the server only if that is not known.
   *
   * @throws {ClientError} if the server cannot be asked
   */
  session(): Promise<Session | undefined>
  /**
   * Calls a function after each log-in, log-out and change of roles, in this tab or another one.
   *
   * @returns a function that ends this
   */
  onChange(listener: (session: Session | undefined) => void): () => void
  /** Stops listening to other tabs. The session goes on. */
  close(): void
}

/**
 * Creates a client of a Sealwax server. One per page or process is enough.
 *
 * @throws {TypeError} for an option that cannot work
 */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, allowed, mode } = readOptions(options)
  const storage = options.storage ?? memoryStorage()
  const key = `sealwax.${baseUrl.replace(/\W+/g, '_')}`
  const withCookie = mode === 'cookie'
  const store = withCookie ? undefined : createTokenStore(storage, key)
  const keeper = createSessionKeeper({ baseUrl, store, device: options.device })

  async function enter(path: string, body: object): Promise<LoggedIn | undefined> {
    const deviceToken = withCookie ? null : await deviceTokens.read()
    const sentAt = performance.now()
    const reply: TokenResponse | undefined = await callServer(baseUrl, {
      ...{ path, withCookie },
      body: {
        ...body,
        mode,
        ...(options.device !== undefined && { device: options.device }),
        ...(deviceToken !== null && { device_token: deviceToken }),
      },
    })
    if (reply === undefined) return undefined
    if (reply.device_token !== undefined) await deviceTokens.write(reply.device_token)
    return { session: await keeper.begin(reply, sentAt), user: reply.user as User }
  }

  /** Not to be lost when the user logs out: they identify the device, not the user. */
  const deviceTokens = {
    read: async () => (await Promise.resolve(storage.getItem(`${key}.device`)).catch(() => null)) ?? null,
    write: async (token: string) => {
      await Promise.resolve(storage.setItem(`${key}.device`, token)).catch(() => {})
    },
  }

  async function accessFor(refused?: string): Promise<string> {
    const access = await keeper.token(refused)
    if (access === undefined) throw new ClientError('logged_out', 'Nobody is logged in')
    return access.token
  }

  const client: Client = {
    login: (credentials) => enter('/login', credentials) as Promise<LoggedIn>,
    register: (signUp) => enter('/register', signUp),
    async logout({ scope = 'current' } = {}) {
      if (scope === 'others') return client.endOtherSessions()
      const refresh_token = await keeper.end()
      if (store !== undefined && refresh_token === undefined) return
      const body = { scope, ...(refresh_token !== undefined && { refresh_token }) }
      await callServer(baseUrl, { path: '/logout', body, withCookie, keepalive: true })
    },
    async fetch(given, init) {
      const input = given instanceof Request ? given : new URL(given, globalThis.location?.href ?? baseUrl).href
      checkOrigin(input, allowed)
      const token = await accessFor()
      const reply = await fetch(input, withToken(input, init, token))
      if (reply.status !== 401) return reply
      const { code } = await readError(reply.clone())
      const mayRetry = code === 'token_expired' || code === 'token_stale'
      // The next request learns that the session has ended.
      if (code === 'token_revoked') void keeper.token(token).catch(() => {})
      if (!mayRetry || isStream(input, init)) return reply
      const access = await keeper.token(token)
      return access === undefined ? reply : fetch(input, withToken(input, init, access.token))
    },
    async session() {
      return (await keeper.token())?.session
    },
    onChange: keeper.onChange,
    close: keeper.close,
    ...accountCalls((call) => authorized(call)),
  }

  async function authorized({ asUser = false, ...call }: Parameters<Parameters<typeof accountCalls>[0]>[0]) {
    if (!asUser) return callServer(baseUrl, call)
    const token = await accessFor()
    try {
      return await callServer(baseUrl, { ...call, token })
    } catch (error) {
      const { code } = error as ClientError
      if (code !== 'token_expired' && code !== 'token_stale') throw error
      return callServer(baseUrl, { ...call, token: await accessFor(token) })
    }
  }

  return client
}

function readOptions({ baseUrl, apiOrigins = [], mode }: ClientOptions) {
  const here = globalThis.location?.href
  const url = new URL(baseUrl, here)
  if (url.search !== '' || url.hash !== '') throw new TypeError('baseUrl must have no query and no fragment')
  const origins = apiOrigins.map((origin) => {
    if (new URL(origin).origin === origin) return origin
    throw new TypeError(`apiOrigins must be origins such as https://api.example.com (got ${origin})`)
  })
  return {
    baseUrl: url.href.replace(/\/$/, ''),
    allowed: new Set([url.origin, ...origins]),
    mode: mode ?? (typeof document === 'undefined' ? 'token' : 'cookie'),
  }
}

/** No token leaves for another origin. */
function checkOrigin(input: string | Request, allowed: ReadonlySet<string>): void {
  const { origin } = new URL(input instanceof Request ? input.url : input)
  if (allowed.has(origin)) return
  throw new ClientError('origin_not_allowed', `${origin} is not in apiOrigins, so it does not get the token`)
}

function withToken(input: string | Request, init: RequestInit = {}, token: string): RequestInit {
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set('Authorization', `Bearer ${token}`)
  return { ...init, headers }
}

/** A stream can be sent only once. */
function isStream(input: string | Request, init: RequestInit | undefined): boolean {
  return init?.body === undefined
    ? input instanceof Request && input.body !== null
    : init.body instanceof ReadableStream
}
