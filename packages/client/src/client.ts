import { type Account, accountCalls } from './account.ts'
import { createAuthorizedFetch } from './authorized-fetch.ts'
import { type ClientError, unreadable } from './errors.ts'
import { type ClientOptions, readOptions } from './options.ts'
import { createServerCalls, type ServerCall } from './server-calls.ts'
import { SessionKeeper } from './session-keeper.ts'
import { createTokenStore, createValues, memoryStorage } from './storage.ts'
import type { Credentials, LoggedIn, Session, SignUp, TokenResponse, User } from './types.ts'

/** Keeps a user logged in. */
export interface Client extends Account {
  /**
   * Logs in. The session before it, if there is one, ends.
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
   * Ends the session, all others of the user, or all.
   *
   * If the server cannot be told, the promise rejects. In token mode the client has forgotten the
   * session by then. In cookie mode the user is still logged in: only the server can delete the
   * cookie.
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
   * Calls a function when it becomes known who is logged in, and after each log-in, log-out and
   * change of roles, in this tab or another one.
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
  const { device, storage, fetch: send = fetch } = options
  const call = createServerCalls(send, baseUrl, mode === 'cookie')
  const key = `sealwax.${baseUrl.replace(/\W+/g, '_')}`
  // Not lost when the user logs out: it identifies the device.
  const deviceKey = `${key}.device`
  const values = mode === 'cookie' ? undefined : createValues(storage ?? memoryStorage())
  const store = values && createTokenStore(values, key)
  // Memory is not shared.
  const channel = values && !storage ? undefined : key
  const keeper = new SessionKeeper({ call, store, device, channel })
  const authorized = createAuthorizedFetch(send, keeper, baseUrl, allowed)

  /** Logs in, or signs up. */
  async function enter(path: string, given: object): Promise<LoggedIn | undefined> {
    const device_token = await values?.read(deviceKey).catch(() => undefined)
    const entered = await keeper.begin(
      (): Promise<TokenResponse | undefined> => call({ path, body: { ...given, mode, device, device_token } }),
    )
    if (!entered) return undefined
    if (entered.device_token) await values?.write(deviceKey, entered.device_token)
    return { session: entered.session, user: entered.user as User }
  }

  async function callAsUser(given: ServerCall) {
    const token = await authorized.token()
    try {
      return await call({ ...given, token })
    } catch (error) {
      const renewed = await authorized.renew(token, (error as ClientError).code)
      if (!renewed) throw error
      return call({ ...given, token: renewed })
    }
  }

  const account = accountCalls({ call, callAsUser })
  return {
    ...account,
    async login(credentials) {
      const loggedIn = await enter('/login', credentials)
      if (!loggedIn) throw unreadable({ status: 200 })
      return loggedIn
    },
    register: (signUp) => enter('/register', signUp),
    async logout({ scope = 'current' } = {}) {
      await (scope === 'others' ? account.endOtherSessions() : keeper.end(scope))
    },
    async deleteMe(proof) {
      await account.deleteMe(proof)
      await keeper.forget()
    },
    fetch: authorized.fetch,
    session: async () => (await keeper.token())?.session,
    onChange: (listener) => keeper.onChange(listener),
    close: () => keeper.close(),
  }
}
