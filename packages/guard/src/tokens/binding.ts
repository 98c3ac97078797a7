import type { InvalidProof } from '../dpop/proof-result.ts'
import { GuardError, type GuardErrorOptions } from '../errors.ts'
import type { BearerCredentials } from '../request/credentials.ts'
import type { GuardRequest } from '../request/request.ts'
import { namesOf } from '../requirements.ts'
import type { Trust } from '../trust.ts'
import { andThen, type ValueOrPromise } from '../value-or-promise.ts'
import type { VerifiedToken } from './verified-token.ts'

interface Sent {
  readonly trust: Trust
  readonly request: GuardRequest
  readonly credentials: BearerCredentials
}

interface Bound {
  readonly token: VerifiedToken
  readonly options: GuardErrorOptions
}

/**
 * Checks that whoever sent a verified token has the key that it is bound to (RFC 9449 §7).
 * @throws {GuardError} `token_proof_required`, `token_binding_invalid`, `dpop_proof_invalid`,
 * `dpop_nonce_required`, `proofs_unavailable`
 */
export function checkBinding(
  token: VerifiedToken,
  { trust, request, credentials }: Sent,
): ValueOrPromise<VerifiedToken> {
  const { dpop } = trust
  const { cnf } = token.auth.payload
  const hasProof = 'proof' in credentials
  if (!hasProof && cnf === undefined && dpop?.required !== true) return token
  const options = { ...trust.challenge, ...namesOf(token.auth) }
  if (!hasProof) {
    throw new GuardError('token_proof_required', {
      ...options,
      scheme: 'DPoP',
      detail: cnf === undefined ? UNBOUND : SCHEME,
    })
  }
  const jkt = keyOf(cnf)
  if (jkt === undefined || dpop === undefined) {
    throw new GuardError('token_binding_invalid', { ...options, detail: cnf === undefined ? BEARER : OTHER_BINDING })
  }
  const proof = dpop.read(request, { accessToken: credentials.token, now: trust.now() })
  if (proof.kind === 'none') throw new GuardError('dpop_proof_invalid', { ...options, detail: NO_PROOF })
  if (proof.kind === 'invalid') throw refusalOf(proof, options)
  // A proof of another key is not remembered: whoever has a stolen token could send many.
  if (proof.jkt !== jkt) throw new GuardError('token_binding_invalid', options)
  const refusal = proof.use()
  const known = refusal instanceof Promise ? refusal.catch((cause) => unavailable({ ...options, cause })) : refusal
  return andThen(known, unlessUsed, { token, options })
}

const UNBOUND = 'Only access tokens that are bound to a key are accepted here.'
const SCHEME = 'The access token is bound to a key: send it with the scheme DPoP and a proof.'
const BEARER = 'The access token is not bound to a key: send it with the scheme Bearer.'
const OTHER_BINDING = 'The access token is bound in a way that cannot be checked here.'
const NO_PROOF = 'The scheme DPoP needs a proof in the DPoP header.'

/** Only the place where used proofs are remembered makes a check wait. */
function unavailable(options: GuardErrorOptions): never {
  throw new GuardError('proofs_unavailable', options)
}

function unlessUsed(refusal: InvalidProof | undefined, { token, options }: Bound): VerifiedToken {
  if (refusal !== undefined) throw refusalOf(refusal, options)
  return token
}

function refusalOf({ detail, nonce }: InvalidProof, options: GuardErrorOptions): GuardError {
  const code = nonce === undefined ? 'dpop_proof_invalid' : 'dpop_nonce_required'
  return new GuardError(code, { ...options, detail, dpopNonce: nonce })
}

/** The thumbprint of the key (RFC 9449 §6.1), if the token is bound to nothing else. */
function keyOf(cnf: unknown): string | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  const [[name, value] = [], ...others] = Object.entries(cnf)
  return name === 'jkt' && typeof value === 'string' && others.length === 0 ? value : undefined
}
