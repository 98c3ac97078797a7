import { JwtError, type Verified } from '@sealwax/jwt'

/** Claims by which issuers say what a token is for: Cognito, Simple JWT, Flask-JWT-Extended, Keycloak. */
const CLAIMS = ['token_use', 'token_type', 'type', 'typ'] as const
const OTHER_USE = /^(application\/)?(refresh|rt|id|offline)([_-]?token)?(\+jwt)?$/i

/**
 * Refuses refresh and ID tokens, which are signed with the same keys as access tokens and must not open a route.
 * @param typ the accepted type; where one was named, the header has been compared with it
 * @throws JwtError `ERR_JWT_CLAIM`, `ERR_JWT_TYPE`
 */
export function checkTokenUse({ payload, header }: Verified, typ: string | null): void {
  for (const claim of CLAIMS) {
    if (isOtherUse(payload[claim])) {
      throw new JwtError('ERR_JWT_CLAIM', `the claim ${claim} says that this is no access token`, { claim })
    }
  }
  if (typ === null && isOtherUse(header.typ)) {
    throw new JwtError('ERR_JWT_TYPE', 'the typ of the header says that this is no access token')
  }
}

function isOtherUse(value: unknown): boolean {
  return typeof value === 'string' && OTHER_USE.test(value)
}
