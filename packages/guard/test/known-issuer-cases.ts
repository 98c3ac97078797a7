import type { GuardOptions } from '../src/index.ts'
import * as known from '../src/issuers/index.ts'
import type { FakeIssuer } from './fake-issuer.ts'

/** Another tenant of Entra. */
export const OTHER_TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47'
export const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'
const now = Math.floor(Date.now() / 1000)

type Claims = Readonly<Record<string, unknown>>

/** A token that an issuer of a guard writes, and changes for which it is refused. */
export interface Case {
  readonly options: (issuers: FakeIssuer) => GuardOptions
  readonly header: object
  readonly claims: Claims
  readonly auth: {
    readonly subject: string
    readonly scopes?: string[]
    readonly roles?: string[]
    readonly clientId?: string
  }
  /** What is changed, and the code of the refusal. */
  readonly refused: readonly [what: string, claims: Claims, code: string][]
}

export const times = { iat: now, nbf: now, exp: now + 3600 }
export const JWT = { typ: 'JWT' }

/** Tokens in the shape that each provider documents. */
export const CASES: Readonly<Record<string, Case>> = {
  'entra, version 2': {
    options: (at) => {
      at.at(`/${TENANT}/v2.0`)
      return known.entra({ tenant: TENANT, audience: 'api', authority: at.origin })
    },
    header: JWT,
    claims: {
      ...{ ...times, aud: 'api', azp: 'spa', azpacr: '0', oid: 'o', scp: 'orders:read orders:write', roles: ['Admin'] },
      ...{ sub: 'S', tid: TENANT, uti: 'u', ver: '2.0' },
    },
    auth: { subject: 'S', scopes: ['orders:read', 'orders:write'], roles: ['Admin'], clientId: 'spa' },
    refused: [
      ['another API', { aud: 'other' }, 'token_audience_invalid'],
      ['an ID token, which has no azp', { azp: undefined, scp: undefined, nonce: 'n' }, 'token_claim_missing'],
      ['another tenant in tid', { tid: OTHER_TENANT }, 'check_failed'],
    ],
  },
  'entra, version 1': {
    options: (at) => ({
      ...known.entra({ tenant: TENANT, audience: 'api://orders', version: 1 }),
      issuer: at.at(`/${TENANT}/`),
    }),
    header: { ...JWT, x5t: 'k1' },
    claims: { ...times, aud: 'api://orders', appid: 'spa', scp: 'access_as_user', sub: 'S', tid: TENANT, ver: '1.0' },
    auth: { subject: 'S', scopes: ['access_as_user'], clientId: 'spa' },
    refused: [['a v2 token', { appid: undefined, azp: 'spa' }, 'token_claim_missing']],
  },
  auth0: {
    options: (at) => ({ ...known.auth0({ domain: 'x.auth0.com', audience: 'https://api' }), issuer: at.at('/auth0/') }),
    header: JWT,
    claims: { ...times, sub: 'auth0|5f', aud: ['https://api', 'https://x/userinfo'], scope: 'openid a', azp: 'cid' },
    auth: { subject: 'auth0|5f', scopes: ['openid', 'a'], clientId: 'cid' },
    refused: [['an ID token: its audience is the client', { aud: 'cid' }, 'token_audience_invalid']],
  },
  'auth0, RFC 9068': {
    options: (at) => ({
      ...known.auth0({ domain: 'x.auth0.com', audience: 'https://api', rfc9068: true }),
      issuer: at.at('/auth0-9068/'),
    }),
    header: { typ: 'at+jwt' },
    claims: { ...times, sub: 'c@clients', aud: 'https://api', scope: 'a', jti: 'j', client_id: 'c' },
    auth: { subject: 'c@clients', scopes: ['a'], clientId: 'c' },
    refused: [['a token without jti', { jti: undefined }, 'token_claim_missing']],
  },
  okta: {
    options: (at) => ({
      ...known.okta({ domain: 'x.okta.com', audience: 'api://default' }),
      issuer: at.at('/oauth2/default'),
    }),
    header: {},
    claims: {
      ...{
        ...times,
        ver: 1,
        jti: 'AT.x',
        aud: 'api://default',
        cid: '0oa',
        uid: '00u',
        scp: ['openid', 'orders:read'],
      },
      ...{ sub: 'a@example.com', groups: ['Everyone'] },
    },
    auth: { subject: 'a@example.com', scopes: ['openid', 'orders:read'], roles: ['Everyone'], clientId: '0oa' },
    refused: [
      ['an ID token', { cid: undefined, scp: undefined, aud: '0oa' }, 'token_claim_missing'],
      ['another authorization server', { aud: 'api://other' }, 'token_audience_invalid'],
    ],
  },
  keycloak: {
    options: (at) => {
      at.at('/realms/shop')
      return known.keycloak({ url: at.origin, realm: 'shop', audience: 'api' })
    },
    header: JWT,
    claims: {
      ...{
        ...times,
        nbf: undefined,
        jti: 'onrtac:1',
        aud: ['api', 'account'],
        sub: 'S',
        typ: 'Bearer',
        azp: 'spa',
        sid: 's',
      },
      ...{ realm_access: { roles: ['admin'] }, resource_access: { account: { roles: ['x'] } }, scope: 'openid email' },
    },
    auth: { subject: 'S', scopes: ['openid', 'email'], roles: ['admin'], clientId: 'spa' },
    refused: [
      ['an ID token', { typ: 'ID' }, 'token_type_invalid'],
      ['a refresh token', { typ: 'Refresh' }, 'token_type_invalid'],
      ['a token of no declared kind', { typ: undefined }, 'check_failed'],
      ['a lightweight token without sub', { sub: undefined }, 'token_claim_missing'],
      ['a token for another client', { aud: 'account' }, 'token_audience_invalid'],
    ],
  },
  'cognito, access tokens': {
    options: (at) => ({
      ...known.cognito({ userPool: 'eu-central-1_X', clients: ['web', 'app'] }),
      issuer: at.at('/eu-central-1_X'),
    }),
    header: {},
    claims: {
      ...{ sub: 'f02e', 'cognito:groups': ['admin'], version: 2, client_id: 'app', token_use: 'access', jti: 'j' },
      ...{ scope: 'aws.cognito.signin.user.admin orders/read', auth_time: now, exp: now + 3600, iat: now },
    },
    auth: {
      ...{
        subject: 'f02e',
        scopes: ['aws.cognito.signin.user.admin', 'orders/read'],
        roles: ['admin'],
        clientId: 'app',
      },
    },
    refused: [
      ['another client of the pool', { client_id: 'other' }, 'check_failed'],
      ['an ID token', { client_id: undefined, aud: 'app', token_use: 'id', at_hash: 'h' }, 'token_claim_missing'],
      ['an ID token with a client_id', { token_use: 'id' }, 'token_type_invalid'],
    ],
  },
  'cognito, ID tokens': {
    options: (at) => ({
      ...known.cognito({ userPool: 'eu-central-1_X', clients: 'app', kind: 'ID token' }),
      issuer: at.at('/eu-central-1_X-id'),
    }),
    header: {},
    claims: {
      ...{ sub: 'f02e', at_hash: 'h', 'cognito:groups': ['admin'], aud: 'app', token_use: 'id', auth_time: now },
      ...{ exp: now + 3600, iat: now, jti: 'j', email: 'a@example.com' },
    },
    auth: { subject: 'f02e', roles: ['admin'], clientId: 'app' },
    refused: [
      ['another client', { aud: 'other' }, 'token_audience_invalid'],
      ['an access token', { token_use: 'access', aud: 'app', at_hash: undefined }, 'check_failed'],
      ['a refresh token', { token_use: 'refresh' }, 'token_type_invalid'],
    ],
  },
  google: {
    options: (at) => ({ ...known.google({ clients: 'c', hostedDomain: 'example.com' }), issuer: at.at('/google') }),
    header: JWT,
    claims: {
      azp: 'c',
      aud: 'c',
      sub: '110',
      email: 'a@example.com',
      at_hash: 'h',
      hd: 'example.com',
      iat: now,
      exp: now + 9,
    },
    auth: { subject: '110', clientId: 'c' },
    refused: [
      ['another application', { aud: 'other' }, 'token_audience_invalid'],
      ['a private account', { hd: undefined }, 'check_failed'],
      ['an issuer without https', { iss: 'accounts.google.com' }, 'token_issuer_invalid'],
    ],
  },
  firebase: {
    options: (at) => ({ ...known.firebase({ project: 'my-project' }), issuer: at.at('/my-project') }),
    header: JWT,
    claims: { aud: 'my-project', auth_time: now, user_id: 'U', sub: 'U', iat: now, exp: now + 3600, roles: ['editor'] },
    auth: { subject: 'U', roles: ['editor'] },
    refused: [['another project', { aud: 'other' }, 'token_audience_invalid']],
  },
  apple: {
    options: (at) => ({ ...known.apple({ clients: ['com.example.app', 'com.example.web'] }), issuer: at.at('/apple') }),
    header: {},
    claims: { aud: 'com.example.app', exp: now + 86_400, iat: now, sub: '001234.abc', c_hash: 'c', auth_time: now },
    auth: { subject: '001234.abc' },
    refused: [['another app', { aud: 'com.example.other' }, 'token_audience_invalid']],
  },
  clerk: {
    options: (at) => ({
      ...known.clerk({ domain: 'clerk.example.com', authorizedParties: 'https://app.example.com' }),
      issuer: at.at('/clerk'),
    }),
    header: { ...JWT, cat: 'cl_B7d4PD111AAA' },
    claims: {
      ...{
        azp: 'https://app.example.com',
        exp: now + 60,
        iat: now,
        nbf: now - 10,
        jti: 'j',
        sid: 'sess_1',
        sts: 'active',
      },
      ...{ sub: 'user_1', v: 2, o: { id: 'org_1', rol: 'admin', slg: 's' } },
    },
    auth: { subject: 'user_1', roles: ['admin'], clientId: 'https://app.example.com' },
    refused: [
      ['another origin', { azp: 'https://evil.example.com' }, 'check_failed'],
      ['a session that is pending', { sts: 'pending' }, 'check_failed'],
      ['a token without azp', { azp: undefined }, 'token_claim_missing'],
    ],
  },
  supabase: {
    options: (at) => {
      at.at('/auth/v1')
      return known.supabase({ url: at.origin })
    },
    header: JWT,
    claims: {
      ...{ sub: '11111111', aud: 'authenticated', exp: now + 3600, iat: now, role: 'authenticated', session_id: 'x' },
      ...{ app_metadata: { provider: 'email', roles: ['editor'] }, is_anonymous: false },
    },
    auth: { subject: '11111111', roles: ['editor'] },
    refused: [
      ['an anonymous user', { is_anonymous: true }, 'check_failed'],
      [
        'a key of the project instead of a user',
        { session_id: undefined, role: 'service_role' },
        'token_claim_missing',
      ],
    ],
  },
  githubActions: {
    options: (at) => ({
      ...known.githubActions({ audience: 'https://api', repositories: 'octo/shop' }),
      issuer: at.at('/actions'),
    }),
    header: { ...JWT, x5t: 'k1' },
    claims: {
      jti: '6fbe',
      sub: 'repo:octo/shop:environment:prod',
      aud: 'https://api',
      repository: 'octo/shop',
      ...times,
    },
    auth: { subject: 'repo:octo/shop:environment:prod' },
    refused: [
      ['another repository', { repository: 'octo/shop2' }, 'check_failed'],
      ['another audience', { aud: 'https://github.com/octo' }, 'token_audience_invalid'],
    ],
  },
  kubernetes: {
    options: (at) => known.kubernetes({ issuer: at.at('/cluster'), audience: 'api', serviceAccounts: 'shop/worker' }),
    header: {},
    claims: {
      aud: ['api'],
      ...times,
      jti: 'j',
      'kubernetes.io': { namespace: 'shop' },
      sub: 'system:serviceaccount:shop:worker',
    },
    auth: { subject: 'system:serviceaccount:shop:worker' },
    refused: [['another service account', { sub: 'system:serviceaccount:shop:default' }, 'check_failed']],
  },
  cloudflareAccess: {
    options: (at) => {
      const { keys: _, ...rest } = known.cloudflareAccess({ team: 'example', audience: 'f861' })
      return { ...rest, issuer: at.at('/cloudflare') }
    },
    header: JWT,
    claims: {
      aud: ['f861'],
      email: 'a@example.com',
      ...times,
      type: 'app',
      identity_nonce: '1q',
      sub: 'a0f8',
      country: 'GB',
    },
    auth: { subject: 'a0f8' },
    refused: [
      ['another application', { aud: ['e522'] }, 'token_audience_invalid'],
      ['a token of nobody', { sub: '' }, 'token_claim_missing'],
    ],
  },
  oidc: {
    options: (at) => known.oidc({ issuer: at.at('/any'), audience: 'api', clients: ['web'] }),
    header: { typ: 'at+jwt' },
    claims: { ...times, aud: 'api', sub: 'u', client_id: 'web', scope: 'a' },
    auth: { subject: 'u', scopes: ['a'], clientId: 'web' },
    refused: [
      ['another client', { client_id: 'other' }, 'check_failed'],
      ['an ID token', { at_hash: 'h' }, 'token_type_invalid'],
    ],
  },
}
