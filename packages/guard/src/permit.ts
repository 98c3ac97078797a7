import type { Auth } from './auth.ts'
import { GuardError, type GuardErrorOptions } from './errors.ts'
import type { GuardRequest } from './request.ts'
import { findUnmet, type PreparedRequirement, resultOfCheck } from './requirements.ts'
import { verdictOf } from './revocation-verdict.ts'
import type { RevocationVerdict } from './revocations.ts'
import type { Trust } from './trust.ts'
import { isTimely, type VerifiedToken } from './verified-token.ts'

/** Everything about a verified token that may differ from one request to the next. */
export function permit(
  trust: Trust,
  token: VerifiedToken,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth | Promise<Auth> {
  const verdict = verdictOf(trust, token.revocable)
  if (!(verdict instanceof Promise)) return permitUnless(verdict, trust, token, request, requirement)
  return verdict.then((found) => {
    // The look-up took time, and so may the token's have passed.
    if (!isTimely(token, trust.now(), trust.tolerance)) throw new GuardError('token_expired', trust.challenge)
    return permitUnless(found, trust, token, request, requirement)
  })
}

function permitUnless(
  verdict: RevocationVerdict | undefined,
  trust: Trust,
  { auth }: VerifiedToken,
  request: GuardRequest,
  requirement: PreparedRequirement,
): Auth {
  if (verdict !== undefined) throw new GuardError(verdict, { ...trust.challenge, ...namesOf(auth) })
  const unmet = findUnmet(requirement, auth, request, trust.now)
  if (unmet !== undefined) throw new GuardError(unmet.code, { ...trust.challenge, ...namesOf(auth), ...unmet })
  return auth
}

export function namesOf({ header, sessionId }: Auth): GuardErrorOptions {
  return { kid: header.kid, sessionId }
}

/** The application's own rule about tokens of this issuer. */
export function passes({ check }: Trust, auth: Auth): boolean {
  return check === undefined || resultOfCheck(check(auth), 'createGuard')
}
