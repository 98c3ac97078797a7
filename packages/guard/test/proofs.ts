import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'
import type { DpopOptions } from '../src/dpop/index.ts'
import { createDpopVerifier } from '../src/dpop/index.ts'
import { GuardError, type GuardOptions } from '../src/index.ts'
import { guardWith, ISSUED, tokenFor } from './tokens.ts'

export const BASE = 'https://api.example.com'

/** A key pair of a client, and what its public key is called. */
export async function clientKey(alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { alg, privateKey, jwk, privateJwk: await exportJWK(privateKey), jkt: await calculateJwkThumbprint(jwk) }
}

export type ClientKey = Awaited<ReturnType<typeof clientKey>>

/** What differs from a good proof; members that are undefined are left out. */
export interface ProofChanges {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

/** A proof for `GET /orders`, created at ISSUED by a library that is not ours. */
export async function proofOf(key: ClientKey, token: string | undefined, { claims, header }: ProofChanges = {}) {
  const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url')
  const payload = { jti: randomUUID(), htm: 'GET', htu: `${BASE}/orders`, iat: ISSUED, ath, ...claims }
  const parameters = { alg: key.alg, typ: 'dpop+jwt', jwk: key.jwk, ...header }
  return new SignJWT(present(payload))
    .setProtectedHeader(present(parameters) as JWTHeaderParameters)
    .sign(key.privateKey)
}

/** An access token that is bound to a key. */
export function boundToken({ jkt }: Pick<ClientKey, 'jkt'>, cnf: unknown = { jkt }): string {
  return tokenFor({ cnf }, { senderConstrained: 'ignore' })
}

/** A guard that accepts proofs. Both clocks are at ISSUED. */
export function dpopGuard(options: Partial<DpopOptions> = {}, guard: Partial<GuardOptions> = {}) {
  return guardWith({ dpop: createDpopVerifier({ baseUrl: BASE, ...options }), ...guard })
}

/** A request for `GET /orders`. */
export function requestWith(token: string, proof: string | undefined, changes: object = {}) {
  const headers = { authorization: `DPoP ${token}`, ...(proof !== undefined && { dpop: proof }) }
  return { method: 'GET', url: '/orders?page=2', headers, ...changes }
}

/** The refusal of a request; fails if it is accepted. */
export async function refused(request: object, guard = dpopGuard()): Promise<GuardError> {
  try {
    await guard.authenticate(request as never)
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
  return assert.fail('the request was let through')
}

function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
