import { describeFailure } from './failure.ts'
import type { VerifierOutcome } from './protocol.ts'
import { equal } from './provided.ts'

/** Tries the verifier of the reader with a token. */
export async function tryVerifier(
  verify: unknown,
  { token, secret }: { readonly token: string; readonly secret: string },
): Promise<VerifierOutcome> {
  compared.length = 0
  try {
    if (typeof verify !== 'function') throw new ReferenceError('there is no function verify')
    const returned = JSON.stringify(await verify(token, secret))
    return { returned, failure: undefined, compared: [...compared] }
  } catch (thrown) {
    return { returned: undefined, failure: describeFailure(thrown), compared: [...compared] }
  }
}

/** The arguments of the calls of `equal` for the current token. */
const compared: [string, string][] = []

/** The `equal` that the code of the reader gets. It notes what is compared. */
export function notedEqual(a: string, b: string): boolean {
  const result = equal(a, b)
  compared.push([a, b])
  return result
}
