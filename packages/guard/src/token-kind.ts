import { JwtError, type JwtHeader, type JwtPayload, type Verified } from '@sealwax/jwt'

/** A token that is not an access token, by its own account. */
export interface OtherKind {
  readonly kind: 'refresh token' | 'ID token' | 'logout token'
  /** Where the token says so. */
  readonly claim: string
}

/**
 * Claims in which libraries and products write what a token is: `typ` Keycloak, `type` Flask-JWT-Extended, `token_type` Django's simplejwt,
 * `token_use` Cognito.
 */
const CLAIMS: readonly string[] = ['typ', 'type', 'token_type', 'tokenType', 'token_use', 'tokenUse']

const KINDS: readonly (readonly [kind: OtherKind['kind'], name: RegExp])[] = [
  ['refresh token', /refresh|^offline(token)?$|^rt$/],
  ['ID token', /^(serialized)?id(token)?$|^identitytoken$/],
  ['logout token', /^logout(token)?$/],
]

/**
 * Whether a token says that it is something else than an access token. An issuer signs all its tokens with the same keys, so only this tells them apart.
 * What a token does not say about itself cannot be known.
 */
export function otherKindOf(payload: JwtPayload, header: Partial<JwtHeader>): OtherKind | undefined {
  const kind = kindOf(header.typ)
  if (kind !== undefined) return { kind, claim: 'typ' }
  for (const claim of CLAIMS) {
    const found = Object.hasOwn(payload, claim) ? kindOf(payload[claim]) : undefined
    if (found !== undefined) return { kind: found, claim }
  }
  return undefined
}

/** @throws JwtError `ERR_JWT_TYPE` for a verified token that is no access token. */
export function refuseOtherKind({ payload, header }: Verified): void {
  const other = otherKindOf(payload, header)
  if (other !== undefined) throw new JwtError('ERR_JWT_TYPE', `the token is no access token`, { claim: other.claim })
}

/** Case, punctuation and the parts of a media type do not matter: `Refresh`, `refresh_token`, `application/rt+jwt`. */
function kindOf(value: unknown): OtherKind['kind'] | undefined {
  if (Array.isArray(value)) {
    for (const member of value) {
      const kind = typeof member === 'string' ? kindOf(member) : undefined
      if (kind !== undefined) return kind
    }
    return undefined
  }
  if (typeof value !== 'string') return undefined
  const name = value
    .toLowerCase()
    .replace(/^application\/|\+jwt$/g, '')
    .replace(/[^a-z]/g, '')
  return KINDS.find(([, form]) => form.test(name))?.[0]
}
