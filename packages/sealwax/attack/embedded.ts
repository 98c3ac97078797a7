import { storeOf } from '../src/cli/store.ts'
import { type AuthServer, createAuth } from '../src/index.ts'
import { PASSWORD, SECRET } from '../test/server.ts'
import type { Place, StoreName } from '../torture/place.ts'

export const OWNER = 'owner@example.com'
export const WRONG = 'a guess that is wrong'

/** A server in this process with a clock that only moves when told. */
export interface Embedded extends AsyncDisposable {
  readonly auth: AuthServer
  readonly clock: { now: number }
  /** Sends a log-in from an address. */
  login(ip: string, email: string, password: string, deviceToken?: string): Promise<LoginReply>
}

export interface LoginReply {
  readonly status: number
  /** Seconds, 0 without the header. */
  readonly retryAfter: number
  readonly deviceToken: string | undefined
}

/** Starts a server with one user on a new database. */
export async function startEmbedded(place: Place, store: StoreName): Promise<Embedded> {
  const clock = { now: Date.UTC(2026, 0, 15) }
  const issuer = 'http://127.0.0.1:5000'
  const opened = storeOf(await place.database(store))
  const auth = await createAuth({ issuer, audience: 'api', secret: SECRET, store: opened, now: () => clock.now })
  await auth.users.create({ email: OWNER, password: PASSWORD })
  return {
    ...{ auth, clock },
    async login(address, email, password, device_token) {
      const reply = await auth.fetch(
        new Request(`${issuer}/login`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ email, password, ...(device_token !== undefined && { device_token }) }),
        }),
        { address },
      )
      const body = (await reply.json()) as { device_token?: string }
      const retryAfter = Number(reply.headers.get('Retry-After') ?? 0)
      return { status: reply.status, retryAfter, deviceToken: body.device_token }
    },
    [Symbol.asyncDispose]: () => auth.close(),
  }
}
