import type { ValueOrPromise } from '../value-or-promise.ts'

/** The request has no DPoP header. */
export interface NoProof {
  /** There is none. */
  readonly kind: 'none'
}

/** A proof that is refused. */
export interface InvalidProof {
  /** It is refused. */
  readonly kind: 'invalid'
  /** A sentence for the client. */
  readonly detail: string
  /**
   * For the field `DPoP-Nonce` of the reply, whose error is then `use_dpop_nonce`. Without it, the
   * error is `invalid_dpop_proof` (RFC 9449 §5, §8).
   */
  readonly nonce?: string
}

/**
 * The sender has the private key whose public key has this RFC 7638 thumbprint, unless it sent a
 * proof again that somebody else made: `use` tells.
 */
export interface ReadProof {
  /** It is accepted, unless it was used before. */
  readonly kind: 'valid'
  /** The thumbprint. */
  readonly jkt: string
  /**
   * Marks the proof as used. Rejects if `replays` fails.
   * @returns `undefined` if this request is the first with it, or else the refusal
   */
  use(): ValueOrPromise<InvalidProof | undefined>
}

/** The result of {@link DpopVerifier.check}. */
export type ProofResult = NoProof | InvalidProof | { readonly kind: 'valid'; readonly jkt: string }

/** A proof that is refused for good. */
export function invalid(detail: string): InvalidProof {
  return { kind: 'invalid', detail }
}

/** A proof that may be repeated with a nonce. */
export function useNonce(sentence: string, nonce: string): InvalidProof {
  const detail = `${sentence}. Send one with the nonce in the header DPoP-Nonce.`
  return { kind: 'invalid', detail, nonce }
}
