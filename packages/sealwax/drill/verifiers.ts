import { createGuard } from '@sealwax/guard'
import { createVerifier, type DecodedJwt } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { AUDIENCE } from '../torture/servers.ts'

/** A service elsewhere that knows the issuer's URL and nothing else. */
export interface Verifier {
  readonly name: string
  /** Undefined when the token is accepted, else why it is refused. */
  refusalOf(token: string): Promise<string | undefined>
  /**
   * For so long it may accept a key that has left the JWK Set by the plan, and one that was
   * revoked: what it keeps, by itself. In milliseconds.
   */
  readonly keeps: { readonly retired: number; readonly revoked: number }
  /** How often it lets a key in that it does not find any more, however late that is. */
  readonly forgives: number
  /** How rarely the thief must come for that to hold. */
  readonly thiefEvery: number
  close(): Promise<void>
}

const SECOND = 1000
const MINUTE = 60 * SECOND
/** What a request takes and what a timer is late. */
const SLACK = 5 * SECOND

/** All of them as they come: no option but the issuer and the audience. */
export function verifiersOf(issuer: string): Verifier[] {
  return [joseVerifier(issuer), fastJwtVerifier(issuer), guardVerifier(issuer)]
}

/** Keeps a set for ten minutes; an unknown `kid` makes it read again, every 30 seconds at most. */
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
 * Keeps each key for a minute. When a key is not found any more it goes on with its old copy: once,
 * however late that is, and again for whoever comes within a minute of that. So a thief who comes
 * every minute is let in for ever. That is its own; here the thief comes more rarely, and the one
 * time is counted by itself.
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
 * Keeps a set as long as `Cache-Control` says, and ten minutes at most; hears of a revoked key
 * through the feed.
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
