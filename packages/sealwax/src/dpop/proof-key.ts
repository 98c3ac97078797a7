import type { InvalidProof } from '@sealwax/guard/dpop'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { dpopVerifiers } from './verifiers.ts'

/** A key that the sender of a request has proved to have. */
export interface ProvedKey {
  /** Its RFC 7638 thumbprint. */
  readonly jkt: string
  /**
   * Marks the proof as used. Called once the credentials of the request are known to be genuine, so
   * that strangers cannot fill the database.
   *
   * @throws {AuthError} `invalid_dpop_proof`, `use_dpop_nonce` if it was used before
   */
  use(): Promise<void>
}

/** The key that a caller of our functions has checked. */
export function checkedKey(jkt: string | undefined): ProvedKey | undefined {
  return jkt === undefined ? undefined : { jkt, use: async () => {} }
}

/**
 * Reads the proof of a request (RFC 9449 §5); undefined if it has no DPoP header.
 *
 * @throws {AuthError} `invalid_dpop_proof`, or `use_dpop_nonce` with a nonce in the header
 * `DPoP-Nonce`
 */
export function readProvedKey(context: Context, request: Request): ProvedKey | undefined {
  const proof = dpopVerifiers(context).own.read(request, { now: context.now() })
  if (proof.kind === 'none') return undefined
  if (proof.kind === 'invalid') throw refused(proof)
  return {
    jkt: proof.jkt,
    async use() {
      const refusal = await proof.use()
      if (refusal !== undefined) throw refused(refusal)
    },
  }
}

function refused({ detail, nonce }: InvalidProof): AuthError {
  return nonce === undefined
    ? new AuthError('invalid_dpop_proof', detail)
    : new AuthError('use_dpop_nonce', detail, { headers: { 'DPoP-Nonce': nonce } })
}
