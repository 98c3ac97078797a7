import { answer, describeFailure, hmac } from './in-worker.ts'
import type { VerifierOutcome } from './protocol.ts'
import { decode, equal } from './provided.ts'

/** The function of the reader, who may not have written it. */
declare const verify: unknown

let compared: [string, string][] = []

Object.assign(globalThis, {
  ...{ decode, hmac },
  equal(a: string, b: string) {
    const result = equal(a, b)
    compared.push([a, b])
    return result
  },
})

answer(async ({ token, secret }: { token: string; secret: string }): Promise<VerifierOutcome> => {
  compared = []
  try {
    if (typeof verify !== 'function') throw new ReferenceError('there is no function verify')
    const returned = JSON.stringify(await verify(token, secret))
    return { returned, failure: undefined, compared }
  } catch (thrown) {
    return { returned: undefined, failure: describeFailure(thrown), compared }
  }
})
