import { Hono, type MiddlewareHandler } from 'hono'
import { describeFailure } from './failure.ts'
import type { Failure, GuardOutcome } from './protocol.ts'

/** The environment of the app, as Hono calls it. */
interface AppEnv {
  Bindings: { SECRET: string }
  Variables: { user: unknown }
}

/** Sends a request to an app of Hono with the guard of the reader. */
export async function tryGuard(
  guard: unknown,
  { authorization, secret }: { readonly authorization: string | undefined; readonly secret: string },
): Promise<GuardOutcome> {
  let ran = false
  let failure: Failure | undefined
  const app = new Hono<AppEnv>()
  app.onError((error, c) => {
    failure = describeFailure(error)
    return c.text('Internal Server Error', 500)
  })
  const guarded: MiddlewareHandler<AppEnv> = async (c, next) => {
    if (typeof guard !== 'function') throw new ReferenceError('there is no function guard')
    try {
      return await guard(c, next)
    } catch (thrown) {
      // Hono passes only errors to onError.
      throw thrown instanceof Error ? thrown : new Error(String(thrown))
    }
  }
  app.get('/profile', guarded, (c) => {
    ran = true
    return c.json({ user: c.get('user') })
  })
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  const reply = await app.request('/profile', { headers }, { SECRET: secret })
  const authenticate = reply.headers.get('WWW-Authenticate')
  return { status: reply.status, authenticate, body: await reply.text(), ran, failure }
}
