import { createHash } from 'node:crypto'
import {
  importKey,
  type Jwk,
  JwtError,
  type JwtHeader,
  type JwtPayload,
  type PublicJwk,
  thumbprint,
  unsafeDecode,
  type VerificationKey,
  verify,
} from '@sealwax/jwt'
import { hasPrivateMember } from '@sealwax/jwt/internal'
import type { TokenCache } from '../tokens/cache.ts'
import { normalizedUrl } from './request-url.ts'

/** A proof whose signature is valid. Nothing else of it has been checked. */
export interface SignedProof {
  /** The RFC 7638 thumbprint of its key. */
  readonly jkt: string
  readonly payload: JwtPayload
}

/** A proof that cannot be accepted. The message is for the client. */
export class ProofFault extends Error {
  override readonly name = 'ProofFault'
}

/** In characters: enough for ML-DSA-87, whose key and signature are the longest. */
const LONGEST_PROOF = 12_288
const LONGEST_JTI = 256
const REQUIRED = ['jti', 'htm', 'htu', 'iat']

/** The key of a client. All its proofs have the same header. */
export interface KnownKey {
  /** The first segment of its proofs. */
  readonly token: string
  readonly key: VerificationKey
  readonly jkt: string
}

/**
 * Reads a proof and checks its signature with the key in its header (RFC 9449 §4.3, checks 2 to 7).
 * @param keys those of earlier proofs: to import one takes longer than the signature check
 * @throws {ProofFault}
 */
export function readSignedProof(proof: string, algorithms: readonly string[], keys: TokenCache<KnownKey>): SignedProof {
  if (proof.includes(',')) throw new ProofFault('The request carries more than one DPoP header.')
  const { header, payload } = decoded(proof)
  if (!algorithms.includes(header.alg ?? '')) {
    throw new ProofFault(`The algorithm (alg) of the proof is not one of ${algorithms.join(', ')}.`)
  }
  const missing = REQUIRED.find((claim) => payload[claim] === undefined)
  if (missing !== undefined) throw new ProofFault(`The proof lacks the claim "${missing}".`)
  const { iat, jti } = payload
  if (typeof iat !== 'number') throw new ProofFault('The claim "iat" of the proof is not a number.')
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
    throw new ProofFault(`The claim "jti" of the proof is not a string of 1 to ${LONGEST_JTI} characters.`)
  }
  const segment = proof.slice(0, proof.indexOf('.'))
  const known = keys.find(segment)
  const { key, jkt } = known ?? keyOf(header)
  verifyAt(iat, proof, key)
  if (known === undefined) keys.add({ token: segment, key, jkt })
  return { jkt, payload }
}

/** @throws {ProofFault} if the proof is for another method or URL, or another token */
export function checkTarget(
  { payload: { htm, htu, ath } }: SignedProof,
  { method, urls, accessToken }: { method: string; urls: readonly string[]; accessToken: string | undefined },
): void {
  if (htm !== method) throw new ProofFault(`The claim "htm" of the proof is not the method ${method}.`)
  const url = typeof htu === 'string' ? normalizedUrl(htu) : undefined
  if (url === undefined) throw new ProofFault('The claim "htu" of the proof is not an absolute http or https URL.')
  if (urls.length === 0) throw new ProofFault('The target of the request is not a path that a proof can be for.')
  if (!urls.includes(url)) throw new ProofFault(`The claim "htu" of the proof is not the URL ${urls.join(' or ')}.`)
  if (accessToken === undefined) return
  if (ath === undefined) throw new ProofFault('The proof lacks the claim "ath", the hash of the access token.')
  if (ath !== createHash('sha256').update(accessToken).digest('base64url')) {
    throw new ProofFault('The claim "ath" of the proof is not the hash of the access token.')
  }
}

/** Identifies a proof among those of all keys. */
export function identityOf({ jkt, payload }: SignedProof): string {
  return createHash('sha256')
    .update(jkt)
    .update(payload.jti as string)
    .digest('base64url')
}

function decoded(proof: string): { header: Partial<JwtHeader>; payload: JwtPayload } {
  if (proof.length > LONGEST_PROOF) throw new ProofFault(`The proof is longer than ${LONGEST_PROOF} characters.`)
  try {
    return unsafeDecode(proof)
  } catch (cause) {
    throw new ProofFault('The DPoP header is not a well-formed signed JWT.', { cause })
  }
}

function keyOf({ jwk, alg, kid }: Partial<JwtHeader>): { key: VerificationKey; jkt: string } {
  if (typeof jwk !== 'object' || jwk === null) throw new ProofFault('The header of the proof has no public key (jwk).')
  // Every member of a secret, too.
  if (hasPrivateMember(jwk as Jwk)) {
    throw new ProofFault('The key (jwk) in the header of the proof is private. Send the public key only.')
  }
  try {
    const jkt = thumbprint(jwk as PublicJwk)
    return { key: importKey(jwk as PublicJwk, { alg: alg as 'ES256', kid: kid ?? jkt }), jkt }
  } catch (cause) {
    throw new ProofFault('The key (jwk) in the header of the proof cannot be used.', { cause })
  }
}

/** Whether the proof is recent is checked later, so time stands still here. */
function verifyAt(iat: number, proof: string, key: VerificationKey): void {
  const currentDate = new Date(iat * 1000)
  if (Number.isNaN(currentDate.getTime())) throw new ProofFault('The claim "iat" of the proof is not a time.')
  const options = { issuer: null, audience: null, typ: 'dpop+jwt', currentDate, maxTokenLength: LONGEST_PROOF }
  try {
    verify(proof, key, options)
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause
    throw new ProofFault(FAULTS[cause.code] ?? 'The proof is not acceptable.', { cause })
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ERR_JWT_TYPE: 'The type (typ) of the proof is not "dpop+jwt".',
  ERR_JWT_EXPIRED: 'The proof has expired by its claim "exp".',
  ERR_JWT_SIGNATURE: 'The signature of the proof does not match its content and key.',
}
