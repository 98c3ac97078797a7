import type { ProofResult } from '@sealwax/guard/dpop'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { dpopVerifiers } from './verifiers.ts'

/**
 * Returns the RFC 7638 thumbprint of the key that the sender of a request has proved to have
 * (RFC 9449 §5); undefined if the request has no DPoP header.
 *
 * @throws {AuthError} `invalid_dpop_proof`, or `use_dpop_nonce` with a nonce in the header
 * `DPoP-Nonce`
 */
export async function proofKey(context: Context, request: Request): Promise<string | undefined> {
  const result = await dpopVerifiers(context).own.check(request, { now: context.now() })
  if (result.kind === 'none') return undefined
  if (result.kind === 'invalid') throw refused(result)
  return result.jkt
}

function refused({ detail, nonce }: ProofResult & { kind: 'invalid' }): AuthError {
  return nonce === undefined
    ? new AuthError('invalid_dpop_proof', detail)
    : new AuthError('use_dpop_nonce', detail, { headers: { 'DPoP-Nonce': nonce } })
}
