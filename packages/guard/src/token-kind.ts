import { JwtError, type JwtHeader, type JwtPayload, type Verified } from '@sealwax/jwt'

/** The kind of token that a guard accepts. */
export type TokenKind = 'access token' | 'ID token'

/** The kind that a token declares, if it is not an access token. */
export interface OtherKind {
  /** The declared kind. */
  readonly kind: 'refresh token' | 'ID token' | 'logout token' | 'token for a single purpose'
  /** The claim or header parameter that declares it. */
  readonly claim: string
}

/**
 * Claims in which libraries and products store the kind of a token: `typ` (Keycloak), `type`
 * (Flask-JWT-Extended), `token_type` (Django's simplejwt), `token_use` (Cognito).
 */
const CLAIMS: readonly string[] = [
  ...['typ', 'type', 'token_type', 'tokenType', 'tokentype', 'TokenType', 'token_use', 'tokenUse'],
  ...['use', 'purpose', 'kind'],
]

/** Claims that are `true` in refresh tokens. */
const REFRESH_FLAGS: readonly string[] = ['refresh', 'isRefresh', 'isRefreshToken', 'is_refresh', 'is_refresh_token']

/** Claims that no access token has: OpenID Connect Core §3.3.2.11, Back-Channel Logout §2.4. */
const TELLING: readonly (readonly [claim: string, kind: OtherKind['kind']])[] = [
  ['at_hash', 'ID token'],
  ['c_hash', 'ID token'],
  ['events', 'logout token'],
]

const KINDS: readonly (readonly [kind: OtherKind['kind'], name: RegExp])[] = [
  ['refresh token', /^refresh$|refreshtoken$|^offline(token)?$|^rt$/],
  ['ID token', /^(serialized)?id(token)?$|^identitytoken$/],
  ['logout token', /^logout(token)?$/],
  [
    'token for a single purpose',
    /^(reset|verify|activate|confirm)|(reset|verification|activation|registrationaccess)(token)?$|^mfa(token)?$/,
  ],
]

/**
 * Returns the kind that a token declares, if it is not an access token. An issuer signs all its
 * tokens with the same keys, so only this distinguishes them.
 */
export function otherKindOf(payload: JwtPayload, header: Partial<JwtHeader>): OtherKind | undefined {
  const kind = kindOf(header.typ)
  if (kind !== undefined) return { kind, claim: 'typ' }
  for (const claim of CLAIMS) {
    const found = Object.hasOwn(payload, claim) ? kindOf(payload[claim]) : undefined
    if (found !== undefined) return { kind: found, claim }
  }
  const flag = REFRESH_FLAGS.find((claim) => Object.hasOwn(payload, claim) && payload[claim] === true)
  if (flag !== undefined) return { kind: 'refresh token', claim: flag }
  const telling = TELLING.find(([claim]) => Object.hasOwn(payload, claim))
  return telling && { kind: telling[1], claim: telling[0] }
}

/**
 * An ID token need not declare that it is one.
 * @throws {JwtError} `ERR_JWT_TYPE` for a verified token that declares another kind than is
 * accepted
 */
export function refuseOtherKind({ payload, header }: Verified, accepted: TokenKind): void {
  const other = otherKindOf(payload, header)
  if (other === undefined || other.kind === accepted) return
  throw new JwtError('ERR_JWT_TYPE', `the token is not an ${accepted}`, { claim: other.claim })
}

/**
 * Case, punctuation and the parts of a media type do not matter: `Refresh`, `refresh_token`,
 * `application/rt+jwt`.
 */
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
    .replace(/^application\/|^urn:ietf:params:oauth:token-type:|\+jwt$/g, '')
    .replace(/[^a-z]/g, '')
  return KINDS.find(([, form]) => form.test(name))?.[0]
}
