import { makeToken, randomSecret } from './hmac.ts'
import type { VerifierOutcome } from './protocol.ts'
import { accident, type Verdict } from './verdict.ts'

/** A token that the verifier of the reader is tried against. */
export interface VerifierCase {
  /** What is special about the token. */
  readonly name: string
  readonly token: string
  readonly secret: string
  /** The claims to be returned; undefined if the token is to be refused. */
  readonly claims: Readonly<Record<string, unknown>> | undefined
}

/** Makes the tokens, with a new secret and a new user. */
export async function makeVerifierCases(now: number): Promise<readonly VerifierCase[]> {
  const secret = randomSecret()
  const claims = { sub: `user-${randomSecret().slice(0, 6)}`, role: 'student', exp: now + 600 }
  const good = await makeToken(secret, claims)
  const [header = '', , signature = ''] = good.split('.')
  const [, promoted] = (await makeToken(secret, { ...claims, role: 'teacher' })).split('.')
  const unsigned = (await makeToken(secret, claims, 'none')).replace(/[^.]*$/, '')
  const cases: readonly (readonly [name: string, token: string])[] = [
    ['Payload changed: the role is now teacher', `${header}.${promoted}.${signature}`],
    ['Signed with another secret', await makeToken(randomSecret(), claims)],
    ['Expired a minute ago', await makeToken(secret, { ...claims, exp: now - 60 })],
    ['Without exp', await makeToken(secret, { sub: claims.sub, role: claims.role })],
    ['alg is none, and the signature is empty', unsigned],
    ['alg is HS512, but the signature is made with HS256', await makeToken(secret, claims, 'HS512')],
    ['Truncated: the last ten characters are missing', good.slice(0, -10)],
    ['Truncated: the signature is missing', good.slice(0, good.lastIndexOf('.'))],
    ['A fourth part is appended', `${good}.${signature}`],
  ]
  return [
    { name: 'Good', token: good, secret, claims },
    ...cases.map(([name, token]) => ({ name, token, secret, claims: undefined })),
  ]
}

/** Judges what the verifier did with a token. */
export function judgeVerifier(
  { claims }: VerifierCase,
  { returned, failure }: VerifierOutcome,
  lineOf: (line: number | undefined) => number | undefined,
): Verdict {
  if (failure !== undefined) {
    const slip = accident(failure, lineOf)
    if (slip !== undefined) return slip
    return { right: claims === undefined, words: `refused with “${failure.message}”` }
  }
  if (returned === undefined) return { right: false, words: 'returned nothing, and threw no error' }
  if (claims === undefined) return { right: false, words: `accepted, and returned ${returned}` }
  return isSame(JSON.parse(returned), claims)
    ? { right: true, words: `accepted, and returned ${returned}` }
    : { right: false, words: `returned ${returned}, which is not the claims of the token` }
}

function isSame(returned: unknown, claims: Readonly<Record<string, unknown>>): boolean {
  if (typeof returned !== 'object' || returned === null) return false
  const names = Object.keys(returned)
  return (
    names.length === Object.keys(claims).length &&
    names.every((name) => (returned as Record<string, unknown>)[name] === claims[name])
  )
}

/**
 * Judges how the signature of the good token was compared. Time cannot be measured here, so this
 * is whether `equal` got both signatures.
 */
export function judgeComparison({ token }: VerifierCase, { compared }: VerifierOutcome): Verdict {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  return compared.some(([a, b]) => a === signature && b === signature)
    ? { right: true, words: 'used equal' }
    : { right: false, words: 'did not use equal for the two signatures' }
}
