/** What became of one check of the guard. */
export type CheckResult = 'passed' | 'refused' | 'not reached'

interface Check {
  readonly name: string
  readonly question: string
  /** The codes with which it refuses. */
  readonly codes: readonly string[]
}

/** The checks of the guard, in their order. */
const CHECKS: readonly Check[] = [
  {
    name: 'Form',
    question: 'Is it three parts of base64url, with JSON in the first two?',
    codes: ['token_missing', 'invalid_request', 'token_malformed'],
  },
  {
    name: 'Key and algorithm',
    question: 'Do we have the key that kid names, and is alg the algorithm of that key?',
    codes: ['token_key_unknown', 'token_algorithm_not_allowed'],
  },
  {
    name: 'Signature',
    question: 'Did that key sign exactly this header and this payload?',
    codes: ['token_signature_invalid'],
  },
  {
    name: 'Type, issuer, audience',
    question: 'Is it an access token, from an issuer we trust, for this API?',
    codes: [
      ...['token_type_invalid', 'token_issuer_invalid', 'token_audience_invalid'],
      ...['token_claim_missing', 'token_claim_invalid', 'token_proof_required'],
      ...['token_binding_invalid', 'dpop_proof_invalid', 'dpop_nonce_required'],
    ],
  },
  {
    name: 'Time',
    question: 'Is it valid already, and not expired?',
    codes: ['token_not_yet_valid', 'token_expired'],
  },
  { name: 'Revocation', question: 'Has its session ended?', codes: ['token_revoked', 'token_stale'] },
  {
    name: 'Permission',
    question: 'May this user do this?',
    codes: ['insufficient_scope', 'insufficient_role', 'check_failed', 'reauthentication_required'],
  },
]

/**
 * Returns how far a request came.
 *
 * @param code the code of the refusal; undefined if the request was accepted
 * @returns undefined for a code that is not of the guard
 */
export function resultsOfChecks(
  code: string | undefined,
): readonly (Omit<Check, 'codes'> & { readonly result: CheckResult })[] | undefined {
  const stop = code === undefined ? CHECKS.length : CHECKS.findIndex(({ codes }) => codes.includes(code))
  if (stop < 0) return undefined
  return CHECKS.map(({ name, question }, index) => ({
    name,
    question,
    result: index < stop ? 'passed' : index === stop ? 'refused' : 'not reached',
  }))
}
