import { checkOptions, mustBe, mustBeBoolean, mustBeOneOf, type OptionRules } from '../strict-options.ts'
import {
  isOneOf,
  type KnownIssuer,
  mustBeBaseUrl,
  mustBeHost,
  mustBeNames,
  mustBeString,
  type Names,
  USUAL_CLAIMS,
} from './known-issuer.ts'

const mustBeAudience = mustBeNames('the audience of this API in the tokens, or a list')

/** Options of {@link auth0}. */
export interface Auth0Options {
  /** The domain of the tenant, such as `example.eu.auth0.com`, or a domain of your own. */
  readonly domain: string
  /** The identifier of the API. */
  readonly audience: Names
  /** Whether the API has the token profile RFC 9068. Default false: the profile Auth0. */
  readonly rfc9068?: boolean
}

const AUTH0: OptionRules<Auth0Options> = {
  example: '{ domain, audience }',
  required: ['domain', 'audience'],
  rules: {
    domain: mustBeHost,
    audience: mustBeAudience,
    rfc9068: mustBeBoolean(),
  },
}

/**
 * Access tokens of Auth0. `auth.scopes` is the claim `scope`; for the permissions of RBAC write
 * `claims: { scopes: 'permissions' }`. ID tokens have the client as audience, so they are refused.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function auth0(options: Auth0Options): KnownIssuer {
  checkOptions('auth0', options, AUTH0)
  const { domain, audience, rfc9068 = false } = options
  return {
    issuer: `https://${domain}/`,
    audience,
    ...(rfc9068
      ? { typ: 'at+jwt', requiredClaims: [...USUAL_CLAIMS, 'jti', 'client_id'] }
      : { typ: 'JWT', requiredClaims: USUAL_CLAIMS }),
    revocation: null,
  }
}

/** Options of {@link okta}. */
export interface OktaOptions {
  /** The domain of the organization, such as `example.okta.com`. */
  readonly domain: string
  /** The audience of the authorization server. */
  readonly audience: Names
  /** The id of the authorization server. Default `'default'`. */
  readonly authorizationServer?: string
}

const OKTA: OptionRules<OktaOptions> = {
  example: '{ domain, audience }',
  required: ['domain', 'audience'],
  rules: {
    domain: mustBeHost,
    audience: mustBeAudience,
    authorizationServer: mustBe('the id of an authorization server', (value) => /^\w+$/.test(String(value))),
  },
}

/**
 * Access tokens of an authorization server of Okta. `auth.scopes` is `scp`, `auth.clientId` is
 * `cid`, and `auth.roles` is `groups`, if the server adds that claim. ID tokens lack `cid`, so they
 * are refused. Tokens of the organization itself cannot be verified by anybody but Okta.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function okta(options: OktaOptions): KnownIssuer {
  checkOptions('okta', options, OKTA)
  const { domain, audience, authorizationServer = 'default' } = options
  return {
    issuer: `https://${domain}/oauth2/${authorizationServer}`,
    audience,
    typ: null,
    requiredClaims: [...USUAL_CLAIMS, 'jti', 'cid'],
    claims: { scopes: 'scp', roles: 'groups', clientId: 'cid' },
    revocation: null,
  }
}

/** Options of {@link keycloak}. */
export interface KeycloakOptions {
  /**
   * The address of the server, such as `https://id.example.com`. Before version 17 with `/auth`.
   */
  readonly url: string
  /** The name of the realm. */
  readonly realm: string
  /** The client id of the API, which an audience mapper adds to the tokens. */
  readonly audience: Names
}

const KEYCLOAK: OptionRules<KeycloakOptions> = {
  example: '{ url, realm, audience }',
  required: ['url', 'realm', 'audience'],
  rules: {
    url: mustBeBaseUrl,
    realm: mustBe('the name of a realm', (value) => typeof value === 'string' && /^[^/?#\s]+$/.test(value)),
    audience: mustBeAudience,
  },
}

/**
 * Access tokens of Keycloak. `auth.roles` are the roles of the realm; for those of a client write
 * `claims: { roles: ['resource_access', 'CLIENT', 'roles'] }`.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function keycloak(options: KeycloakOptions): KnownIssuer {
  checkOptions('keycloak', options, KEYCLOAK)
  const { url, realm, audience } = options
  return {
    issuer: `${url}/realms/${encodeURIComponent(realm)}`,
    audience,
    typ: 'JWT',
    requiredClaims: [...USUAL_CLAIMS, 'jti', 'azp'],
    claims: { roles: ['realm_access', 'roles'] },
    check: ({ payload }) => payload.typ === 'Bearer',
    revocation: null,
  }
}

/** Options of {@link cognito}. */
export interface CognitoOptions {
  /** The id of the user pool, such as `eu-central-1_aBcDeFgHi`. */
  readonly userPool: string
  /** The ids of the app clients whose tokens are accepted: all clients of a pool share its keys. */
  readonly clients: Names
  /** Which of its tokens the clients send. Default `'access token'`. */
  readonly kind?: 'access token' | 'ID token'
}

const COGNITO: OptionRules<CognitoOptions> = {
  example: '{ userPool, clients }',
  required: ['userPool', 'clients'],
  rules: {
    userPool: mustBe(
      "the id of a user pool such as 'eu-central-1_aBcDeFgHi'",
      (value) => typeof value === 'string' && /^[a-z]{2}(-[a-z]+)+-\d+_[A-Za-z0-9]+$/.test(value),
    ),
    clients: mustBeNames('the id of an app client, or a list'),
    kind: mustBeOneOf('access token', 'ID token'),
  },
}

/**
 * Access or ID tokens of Amazon Cognito, never both. `auth.roles` are the groups of the user.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function cognito(options: CognitoOptions): KnownIssuer {
  checkOptions('cognito', options, COGNITO)
  const { userPool, clients, kind = 'access token' } = options
  const [region] = userPool.split('_')
  const common = {
    issuer: `https://cognito-idp.${region}.amazonaws.com/${userPool}`,
    typ: null,
    kind,
    claims: { roles: 'cognito:groups', clientId: kind === 'ID token' ? 'aud' : 'client_id' },
    revocation: null,
  } as const
  if (kind === 'ID token') {
    const requiredClaims = [...USUAL_CLAIMS, 'token_use']
    return { ...common, audience: clients, requiredClaims, check: ({ payload }) => payload.token_use === 'id' }
  }
  return {
    ...common,
    // Access tokens have no `aud`.
    audience: null,
    requiredClaims: ['iss', 'sub', 'exp', 'iat', 'jti', 'client_id', 'token_use'],
    check: ({ payload }) => payload.token_use === 'access' && isOneOf(payload.client_id, clients),
  }
}

/** Options of {@link clerk}. */
export interface ClerkOptions {
  /** The Frontend API of the instance, such as `clerk.example.com`. */
  readonly domain: string
  /** The origins whose tokens are accepted (`azp`), such as `https://app.example.com`. */
  readonly authorizedParties: Names
}

const CLERK: OptionRules<ClerkOptions> = {
  example: '{ domain, authorizedParties }',
  required: ['domain', 'authorizedParties'],
  rules: {
    domain: mustBeHost,
    authorizedParties: mustBeNames("the origin of an application such as 'https://app.example.com', or a list"),
  },
}

/**
 * Session tokens of Clerk. `auth.roles` is the role in the active organization. Sessions with tasks
 * that are not done (`sts: 'pending'`) are refused.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function clerk(options: ClerkOptions): KnownIssuer {
  checkOptions('clerk', options, CLERK)
  const { domain, authorizedParties } = options
  return {
    issuer: `https://${domain}`,
    // Session tokens have no `aud`.
    audience: null,
    typ: 'JWT',
    requiredClaims: ['iss', 'sub', 'exp', 'iat', 'sid', 'azp'],
    claims: { roles: ['o', 'rol'] },
    check: ({ payload }) => payload.sts !== 'pending' && isOneOf(payload.azp, authorizedParties),
    revocation: null,
  }
}

/** Options of {@link supabase}. */
export interface SupabaseOptions {
  /** The address of the project, such as `https://abcdefghijklm.supabase.co`. */
  readonly url: string
  /** Whether users who signed in anonymously are accepted. Default false. */
  readonly anonymous?: boolean
}

const SUPABASE: OptionRules<SupabaseOptions> = {
  example: '{ url }',
  required: ['url'],
  rules: { url: mustBeBaseUrl, anonymous: mustBeBoolean() },
}

/**
 * Access tokens of Supabase with asymmetric signing keys. `auth.roles` is `app_metadata.roles`: the
 * claim `role` is the role in the database.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function supabase(options: SupabaseOptions): KnownIssuer {
  checkOptions('supabase', options, SUPABASE)
  const { url, anonymous = false } = options
  return {
    issuer: `${url}/auth/v1`,
    audience: 'authenticated',
    typ: 'JWT',
    requiredClaims: [...USUAL_CLAIMS, 'session_id'],
    claims: { roles: ['app_metadata', 'roles'] },
    check: ({ payload }) => anonymous || payload.is_anonymous !== true,
    revocation: null,
  }
}

/** Options of {@link oidc}. */
export interface OidcOptions {
  /** The `iss` of the tokens, exactly, with or without a slash at the end. */
  readonly issuer: string
  /** The audience of this API. */
  readonly audience: Names
  /** The ids of the clients whose tokens are accepted (`client_id` or `azp`). Default: any. */
  readonly clients?: Names
}

const OIDC: OptionRules<OidcOptions> = {
  example: '{ issuer, audience }',
  required: ['issuer', 'audience'],
  rules: {
    issuer: mustBeString('the iss of the tokens'),
    audience: mustBeAudience,
    clients: mustBeNames('the id of a client, or a list'),
  },
}

/**
 * Access tokens of any other OpenID provider, with the claims that most write. Any `typ` is
 * accepted; tokens that declare another kind, such as ID tokens, are refused.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function oidc(options: OidcOptions): KnownIssuer {
  checkOptions('oidc', options, OIDC)
  const { issuer, audience, clients } = options
  return {
    issuer,
    audience,
    typ: null,
    requiredClaims: USUAL_CLAIMS,
    ...(clients !== undefined && { check: ({ clientId }) => isOneOf(clientId, clients) }),
    revocation: null,
  }
}
