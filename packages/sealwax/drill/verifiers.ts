import { createGuard } from '@sealwax/guard'
import { createVerifier, type DecodedJwt } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { AUDIENCE } from '../torture/servers.ts'

/** Another service, which knows only the URL of the issuer and the audience. */
export interface Verifier {
  readonly name: string
  /** Returns undefined if the token is accepted, otherwise why it is refused. */
  refusalOf(token: string): Promise<string | undefined>
  /**
   * How long it may accept a key that was retired on schedule, and one that was revoked, because of
   * its cache. In milliseconds.
   */
  readonly keeps: { readonly retired: number; readonly revoked: number }
  /** How often it accepts a key that it can no longer find, however late that is. */
  readonly forgives: number
  /** The minimum interval of the thief for `forgives` to apply, in milliseconds. */
  readonly thiefEvery: number
  close(): Promise<void>
}

const SECOND = 1000
const MINUTE = 60 * SECOND
/** Allowance for the time of a request and the delay of a timer. */
const SLACK = 5 * SECOND

/** All verifiers, with their default caches. */
export function verifiersOf(issuer: string): Verifier[] {
  return [joseVerifier(issuer), fastJwtVerifier(issuer), guardVerifier(issuer)]
}

/**
 * Caches a set for ten minutes. An unknown `kid` causes a new request, at most every 30 seconds.
 */
function joseVerifier(issuer: string): Verifier {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const keeps = 10 * MINUTE + SLACK
  return {
    name: 'jose',
    keeps: { retired: keeps, revoked: keeps },
    forgives: 0,
    thiefEvery: 5 * SECOND,
    refusalOf: (token) => refusal(jwtVerify(token, keys, { issuer, audience: AUDIENCE, typ: 'at+jwt' })),
    close: async () => {},
  }
}

/**
 * Caches each key for a minute. When a key can no longer be found it continues with the old copy:
 * once, however late that is, and again for every request within a minute after that. So a thief
 * who comes every minute is accepted forever. That is a property of the library. Here the thief
 * comes less often, and the one acceptance is counted separately.
 */
function fastJwtVerifier(issuer: string): Verifier {
  const jwks = buildGetJwks({ issuersWhitelist: [issuer] })
  const verify = createVerifier({
    key: ({ header }: DecodedJwt) => jwks.getPublicKey({ domain: issuer, alg: header.alg, kid: header.kid }),
    ...{ allowedIss: issuer, allowedAud: AUDIENCE, algorithms: ['ES256' as const] },
  }) as (token: string) => Promise<unknown>
  const keeps = 2 * MINUTE + SLACK
  return {
    name: 'fast-jwt + get-jwks',
    keeps: { retired: keeps, revoked: keeps },
    forgives: 1,
    thiefEvery: 2 * MINUTE + 10 * SECOND,
    refusalOf: (token) => refusal(verify(token)),
    close: async () => {},
  }
}

/**
 * Caches a set for as long as `Cache-Control` says, at most ten minutes, and learns of a revoked
 * key from the feed.
 */
function guardVerifier(issuer: string): Verifier {
  const guard = createGuard({ issuer, audience: AUDIENCE })
  return {
    name: '@sealwax/guard',
    keeps: { retired: 10 * MINUTE + SLACK, revoked: SECOND },
    forgives: 0,
    thiefEvery: SECOND,
    refusalOf: (token) =>
      refusal((async () => guard.authenticate({ headers: { authorization: `Bearer ${token}` } }))()),
    close: () => guard.close(),
  }
}

async function refusal(verified: Promise<unknown>): Promise<string | undefined> {
  try {
    await verified
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
