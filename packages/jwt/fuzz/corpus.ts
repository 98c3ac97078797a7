import type { KeyObject } from 'node:crypto'
import { createHmac, createPrivateKey, createPublicKey, createSecretKey, sign } from 'node:crypto'

// Keys and claims are constants, and only deterministic signatures are created during fuzzing, so
// that a seed and a case number are enough to repeat a case. The keys were created for this purpose
// and are used nowhere else.

/** 2027-01-15T08:00:00Z, in seconds. Every token is verified at this time. */
export const now = 1_800_000_000
export const issuer = 'https://auth.example.com'
export const audience = 'https://api.example.com'

export const claims = {
  iss: issuer,
  aud: audience,
  sub: 'usr_1',
  client_id: 'web',
  jti: 'tok_1',
  iat: now - 60,
  exp: now + 840,
  scope: 'read write',
}

export const secret = Buffer.from('7dd01a27c4f1c3a2b5e9f80613bd42956e8f07a1b2c3d4e5f60718293a4b5c6d', 'hex')
const edJwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: 'zo9MA6WNJiov3yF3DNr83gYbFVmhu-t02BVBjdfrABA',
  d: 'dYzRUYq1yOe_DdiwT6j7IV0kLBr1nKGux5H7Cg9Ph1g',
}
const ecJwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'whDwpaHtRyoRKEpbq8x5Oc_i_Qo17a0NntGrTJdG1JU',
  y: 'xjqj-lQ4Y41CKDHaCj67YMuoc_Dec8DnLRmiWxxzwKo',
}
const edPrivate = createPrivateKey({ key: edJwk, format: 'jwk' })

/** A key, in a form that can be converted to that of every library. */
export interface FuzzKey {
  readonly alg: 'HS256' | 'EdDSA' | 'ES256'
  readonly object: KeyObject
}

/** The trusted keys, by `kid`. */
export const keys: ReadonlyMap<unknown, FuzzKey> = new Map([
  ['hs-1', { alg: 'HS256', object: createSecretKey(secret) }],
  ['ed-1', { alg: 'EdDSA', object: createPublicKey({ key: edJwk, format: 'jwk' }) }],
  ['ec-1', { alg: 'ES256', object: createPublicKey({ key: ecJwk, format: 'jwk' }) }],
] as const)

export const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')

/**
 * A token with `claims`, signed with the ES256 key. It is a constant because ECDSA signatures
 * differ each time. The private key no longer exists.
 */
export const ecToken =
  'eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjLTEiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLCJhdWQiOi' +
  'JodHRwczovL2FwaS5leGFtcGxlLmNvbSIsInN1YiI6InVzcl8xIiwiY2xpZW50X2lkIjoid2ViIiwianRpIjoidG9rXzEiLCJpYXQiOjE3OTk5OTk' +
  '5NDAsImV4cCI6MTgwMDAwMDg0MCwic2NvcGUiOiJyZWFkIHdyaXRlIn0.t8lyf2GbVhDm95OYPPi-p6l45vVCH5nZLbQcVmIgVqEgNTJ_TE6oKldj' +
  'pW-i3YqY_ecJIbsELMW_FlztBsLihQ'

/** A token with a valid signature, regardless of what the segments of `input` contain. */
export function seal(kid: 'hs-1' | 'ed-1', input: string): string {
  const signature =
    kid === 'hs-1' ? createHmac('sha256', secret).update(input).digest() : sign(null, Buffer.from(input), edPrivate)
  return `${input}.${base64url(signature)}`
}

export const headerOf = (kid: 'hs-1' | 'ed-1') => ({ alg: kid === 'hs-1' ? 'HS256' : 'EdDSA', kid, typ: 'at+jwt' })
