import assert from 'node:assert/strict'
import { importKey, type JwtPayload, type SignOptions, sign } from '@sealwax/jwt'
import { createGuard, GuardError, type GuardOptions, type GuardRequest, type Requirement } from '../src/index.ts'

/** The time at which every token of these tests is issued, in seconds since 1970. */
export const ISSUED = 1_800_000_000
export const issuer = 'https://auth.example.com'
export const audience = 'orders-api'
export const key = importKey(secret(7, 32), { alg: 'HS256', kid: 'key-1' })
export const strangerKey = importKey(secret(8, 32), { alg: 'HS256', kid: 'key-1' })

/** Fixed octets that are accepted as a random key. */
export function secret(seed: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (seed * 97 + index * 151 + index * index * 31) % 256)
}

/** An access token for user-123, valid for 15 minutes from ISSUED. */
export function tokenFor(claims: JwtPayload = {}, options: Partial<SignOptions> = {}, signingKey = key): string {
  const defaults = { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate: new Date(ISSUED * 1000) } as const
  return sign({ sub: 'user-123', ...claims }, signingKey, { ...defaults, ...options })
}

/** A guard with its clock at ISSUED and no revocations, unless options replace them. */
export function guardWith(options: Partial<GuardOptions> = {}) {
  return createGuard({ issuer, audience, keys: key, revocation: null, now: () => ISSUED * 1000, ...options })
}

/** A request with a token. */
export function bearing(token: string) {
  return { headers: { authorization: `Bearer ${token}` } }
}

/** Options of a guard whose clock is this many seconds after ISSUED. */
export const later = (seconds: number) => ({ now: () => (ISSUED + seconds) * 1000 })

/** The refusal of a request; fails if it is accepted. */
export function refusalOf(
  token: string,
  options: Partial<GuardOptions> = {},
  requirement: Requirement<GuardRequest> = {},
): GuardError {
  try {
    void guardWith(options).authenticate(bearing(token), requirement)
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
  return assert.fail('the request was let through')
}
