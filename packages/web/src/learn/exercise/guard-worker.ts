import { Hono, type MiddlewareHandler } from 'hono'
import { answer, describeFailure, hmac } from './in-worker.ts'
import type { Failure, GuardOutcome } from './protocol.ts'
import { decode, verifyToken } from './provided.ts'

/** The function of the reader, who may not have written it. */
declare const guard: unknown

Object.assign(globalThis, {
  ...{ decode, hmac },
  verify: (token: string, secret: string) => verifyToken(token, secret, hmac),
})

/** The environment of the app, as Hono calls it. */
interface AppEnv {
  Bindings: { SECRET: string }
  Variables: { user: unknown }
}

answer(async (input: { authorization: string | undefined; secret: string }): Promise<GuardOutcome> => {
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
  const headers = input.authorization === undefined ? {} : { Authorization: input.authorization }
  const reply = await app.request('/profile', { headers }, { SECRET: input.secret })
  const authenticate = reply.headers.get('WWW-Authenticate')
  return { status: reply.status, authenticate, body: await reply.text(), ran, failure }
})
