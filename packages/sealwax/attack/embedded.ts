import { storeOf } from '../src/cli/store.ts'
import { toNodeHandler } from '../src/http/node.ts'
import { type AuthOptions, type AuthServer, createAuth } from '../src/index.ts'
import { createInbox } from '../test/accounts/inbox.ts'
import {
  type Body,
  type Call,
  call,
  collector,
  createClock,
  listen,
  PASSWORD,
  type Reply,
  SECRET,
} from '../test/server.ts'
import type { Place, StoreName } from '../torture/place.ts'

export const OWNER = 'owner@example.com'
export const WRONG = 'a guess that is wrong'
export const ISSUER = 'http://127.0.0.1:5000'

/** A server in this process, on a socket, with a clock that only moves when told. */
export interface Embedded extends AsyncDisposable {
  readonly auth: AuthServer
  readonly clock: ReturnType<typeof createClock>
  readonly inbox: ReturnType<typeof createInbox>
  /** The URL of its database. */
  readonly databaseUrl: string
  /** Everything that it has logged, and its events. */
  readonly lines: ReturnType<typeof collector>['lines']
  /** Sends a request through a proxy that tells the address of the client. */
  call(ip: string, path: string, options?: Call): Promise<Reply>
  /** Sends a log-in from an address. */
  login(ip: string, email: string, password: string, deviceToken?: string): Promise<LoginReply>
}

interface LoginReply {
  readonly status: number
  /** Seconds, 0 without the header. */
  readonly retryAfter: number
  readonly deviceToken: string | undefined
}

/** Starts a server with one user on a new database. */
export async function startEmbedded(
  place: Place,
  store: StoreName,
  options: Partial<AuthOptions> = {},
): Promise<Embedded> {
  const clock = createClock()
  const inbox = createInbox()
  const { lines, logger } = collector()
  const databaseUrl = await place.database(store)
  const auth = await createAuth({
    ...{ issuer: ISSUER, audience: 'api', secret: SECRET, store: await storeOf(databaseUrl), now: () => clock.time },
    ...{ trustProxy: 1, logger, mail: inbox.mail, ...options },
  })
  const socket = await listen(toNodeHandler(auth))
  await auth.users.create({ email: OWNER, password: PASSWORD })
  const send = (ip: string, path: string, { headers, ...more }: Call = {}) =>
    call(socket.url, path, { ...more, headers: { 'X-Forwarded-For': ip, ...headers } })
  return {
    ...{ auth, clock, inbox, databaseUrl, lines, call: send },
    async login(ip, email, password, device_token) {
      const json = { email, password, ...(device_token !== undefined && { device_token }) }
      const { status, headers, body } = await send(ip, '/login', { json })
      const { device_token: deviceToken } = body as Body & { device_token?: string }
      return { status, retryAfter: Number(headers.get('Retry-After') ?? 0), deviceToken }
    },
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]()
      await auth.close()
    },
  }
}
