import { makeToken, randomSecret } from './hmac.ts'
import type { GuardOutcome } from './protocol.ts'
import { accident, atLine, type Verdict } from './verdict.ts'

/** A request that the guard of the reader is tried against. */
export interface GuardCase {
  /** What is special about the request. */
  readonly name: string
  /** The header; undefined for a request without it. */
  readonly authorization: string | undefined
  readonly secret: string
  /** The user of the reply; undefined if the request is to be refused. */
  readonly user: string | undefined
}

/** Makes the requests, with a new secret and a new user. */
export async function makeGuardCases(now: number): Promise<readonly GuardCase[]> {
  const secret = randomSecret()
  const user = `user-${randomSecret().slice(0, 6)}`
  const claims = { sub: user, exp: now + 600 }
  const good = await makeToken(secret, claims)
  const refused: readonly (readonly [name: string, authorization: string | undefined])[] = [
    ['Without the header', undefined],
    ['Another scheme: a password', `Basic ${btoa(`${user}:password`)}`],
    ['Another scheme: NotBearer', `NotBearer ${good}`],
    ['Malformed: Bearer without a token', 'Bearer'],
    ['Malformed: a token without Bearer', good],
    ['Malformed: half a token', `Bearer ${good.slice(0, good.length / 2)}`],
    ['Forged: signed with another secret', `Bearer ${await makeToken(randomSecret(), claims)}`],
    ['Expired a minute ago', `Bearer ${await makeToken(secret, { ...claims, exp: now - 60 })}`],
  ]
  return [
    { name: 'Good', authorization: `Bearer ${good}`, secret, user },
    { name: 'Good, with bearer in small letters', authorization: `bearer ${good}`, secret, user },
    ...refused.map(([name, authorization]) => ({ name, authorization, secret, user: undefined })),
  ]
}

/** Judges what the app with the guard did with a request. */
export function judgeGuard(
  { user }: GuardCase,
  { status, authenticate, body, ran, failure }: GuardOutcome,
  lineOf: (line: number | undefined) => number | undefined,
): Verdict {
  if (failure !== undefined) {
    const words = `replied 500, since the guard threw “${failure.message}”${atLine(failure.lines, lineOf)}`
    return accident(failure, lineOf) ?? { right: false, words }
  }
  if (user !== undefined) return judgeAccepted(user, status, body)
  if (status !== 401) return { right: false, words: `replied ${status}${ran ? ': the route was run' : ''}` }
  if (ran) return { right: false, words: 'replied 401, but the route was run before' }
  if (authenticate === null) return { right: false, words: 'replied 401, but without WWW-Authenticate' }
  const right = /^Bearer\b/i.test(authenticate)
  return { right, words: `replied 401 with WWW-Authenticate: ${authenticate}` }
}

function judgeAccepted(user: string, status: number, body: string): Verdict {
  if (status !== 200) return { right: false, words: `replied ${status}` }
  return body === JSON.stringify({ user })
    ? { right: true, words: `replied 200 with ${body}` }
    : { right: false, words: `replied 200 with ${body}, which is not the user of the token` }
}
