import { answer, hmac } from './in-worker.ts'
import { verifyToken } from './provided.ts'
import { tryGuard } from './try-guard.ts'

/** The function of the reader, who may not have written it. */
declare const guard: unknown

Object.assign(globalThis, { verify: (token: string, secret: string) => verifyToken(token, secret, hmac) })

answer((input: { authorization: string | undefined; secret: string }) =>
  tryGuard(typeof guard === 'undefined' ? undefined : guard, input),
)
