import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet } from '@sealwax/jwt'
import { type Auth, createGuard, GuardError, type GuardOptions } from '../src/index.ts'
import { bearing, ISSUED } from './tokens.ts'

// The options are those of docs/guard.md, "Other issuers". The tokens are built by hand in the
// format of each product, since `sign` would use the format of Sealwax.

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsaKeys = createLocalJWKSet({
  keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa-1', alg: 'RS256', use: 'sig' } as never],
})
const ecKeys = createLocalJWKSet({
  keys: [{ ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec-1', alg: 'ES256', use: 'sig' } as never],
})

type Claims = Record<string, unknown>

function token(header: Claims, claims: Claims): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature =
    header.alg === 'RS256'
      ? createSign('sha256').update(input).sign(rsa.privateKey)
      : signBytes('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

interface Product {
  readonly options: Partial<GuardOptions> & { readonly issuer: string; readonly audience: string | null }
  readonly header: Claims
  readonly claims: Claims
  /** The expected members of the Auth. */
  readonly auth: Partial<Auth>
  /**
   * Tokens of the same issuer and keys that are not access tokens for this API: claims that differ
   * (`undefined`: absent), and the code.
   */
  readonly others: readonly (readonly [name: string, differences: Claims, code: string])[]
}

const times = { iat: ISSUED - 60, exp: ISSUED + 3600 }
const withoutJti = ['iss', 'sub', 'aud', 'exp', 'iat']

const products: Readonly<Record<string, Product>> = {
  Auth0: {
    options: {
      issuer: 'https://example.eu.auth0.com/',
      audience: 'https://api.example.com',
      typ: 'JWT',
      requiredClaims: withoutJti,
    },
    header: { alg: 'RS256', typ: 'JWT', kid: 'rsa-1' },
    claims: {
      ...times,
      iss: 'https://example.eu.auth0.com/',
      sub: 'auth0|65a1f0c2e4b0a1b2c3d4e5f6',
      aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
      azp: 'my_client_id',
      scope: 'openid profile orders:read',
      permissions: ['orders:read'],
    },
    auth: {
      subject: 'auth0|65a1f0c2e4b0a1b2c3d4e5f6',
      clientId: 'my_client_id',
      scopes: ['openid', 'profile', 'orders:read'],
      roles: [],
    },
    others: [
      ['an ID token', { aud: 'my_client_id', nonce: 'n', scope: undefined, azp: undefined }, 'token_audience_invalid'],
      [
        'a token for the userinfo endpoint',
        { aud: ['https://example.eu.auth0.com/userinfo'] },
        'token_audience_invalid',
      ],
      ['a token of another tenant', { iss: 'https://evil.eu.auth0.com/' }, 'token_issuer_invalid'],
    ],
  },
  Keycloak: {
    options: {
      issuer: 'https://sso.example.com/realms/orders',
      audience: 'orders-api',
      typ: 'JWT',
      requiredClaims: [...withoutJti, 'jti', 'azp'],
    },
    header: { alg: 'RS256', typ: 'JWT', kid: 'rsa-1' },
    claims: {
      ...times,
      auth_time: ISSUED - 60,
      jti: 'onrtac:5d9f7a1c-6f0e-4a53-9f25-2a0cf0a1d2b3',
      iss: 'https://sso.example.com/realms/orders',
      aud: ['orders-api', 'account'],
      sub: '1f0a6c1e-2b7d-4f43-8c4d-0e5f6a7b8c9d',
      typ: 'Bearer',
      azp: 'web',
      sid: '2a4c6e80-1b3d-4f5a-9c7e-0f1a2b3c4d5e',
      acr: '1',
      'allowed-origins': ['https://app.example.com'],
      realm_access: { roles: ['offline_access', 'default-roles-orders'] },
      resource_access: { account: { roles: ['view-profile'] } },
      scope: 'openid email profile',
      email_verified: true,
      preferred_username: 'zoe',
    },
    auth: {
      subject: '1f0a6c1e-2b7d-4f43-8c4d-0e5f6a7b8c9d',
      clientId: 'web',
      sessionId: '2a4c6e80-1b3d-4f5a-9c7e-0f1a2b3c4d5e',
      roles: [],
    },
    others: [
      ['an ID token', { aud: 'web', typ: 'ID' }, 'token_audience_invalid'],
      ['an ID token of a client with the name of the API', { aud: 'orders-api', typ: 'ID' }, 'token_type_invalid'],
      ['a token without the audience mapper', { aud: 'account' }, 'token_audience_invalid'],
      ['a token of another realm', { iss: 'https://sso.example.com/realms/master' }, 'token_issuer_invalid'],
    ],
  },
  Cognito: {
    options: {
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
      audience: null,
      typ: null,
      requiredClaims: ['iss', 'sub', 'exp', 'iat', 'jti', 'client_id', 'token_use'],
      check: (auth) => auth.clientId === '1example23456789',
    },
    header: { alg: 'RS256', kid: 'rsa-1' },
    claims: {
      ...times,
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:groups': ['admin'],
      iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
      version: 2,
      client_id: '1example23456789',
      origin_jti: '0d0f6a1e-1111-4222-8333-444455556666',
      event_id: '64f513be-32db-42b0-b78e-b02127b4f463',
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin orders/read',
      auth_time: ISSUED - 60,
      jti: '7c3b1f0a-9999-4888-8777-666655554444',
      username: 'zoe',
    },
    auth: { clientId: '1example23456789', scopes: ['aws.cognito.signin.user.admin', 'orders/read'], roles: [] },
    others: [
      [
        'an ID token',
        { aud: '1example23456789', token_use: 'id', client_id: undefined, scope: undefined },
        'token_claim_missing',
      ],
      ['an ID token with a client id in it', { aud: '1example23456789', token_use: 'id' }, 'token_type_invalid'],
      ['a token of another client of the pool', { client_id: '2example23456789' }, 'check_failed'],
      [
        'a token of another pool',
        { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_ZZZZZZZZZ' },
        'token_issuer_invalid',
      ],
    ],
  },
  Supabase: {
    options: {
      issuer: 'https://abcdefghijklmnop.supabase.co/auth/v1',
      audience: 'authenticated',
      typ: 'JWT',
      requiredClaims: [...withoutJti, 'session_id'],
      check: (auth) => auth.payload.role === 'authenticated' && auth.payload.is_anonymous !== true,
    },
    header: { alg: 'ES256', kid: 'ec-1', typ: 'JWT' },
    claims: {
      ...times,
      iss: 'https://abcdefghijklmnop.supabase.co/auth/v1',
      sub: '6f1c2d3e-4a5b-4c6d-8e7f-9a0b1c2d3e4f',
      aud: 'authenticated',
      email: 'zoe@example.com',
      phone: '',
      app_metadata: { provider: 'email', providers: ['email'] },
      user_metadata: { roles: ['admin'] },
      role: 'authenticated',
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: ISSUED - 60 }],
      session_id: '0b8f4f0e-9a60-4c2c-8e55-1f2a3b4c5d6e',
      is_anonymous: false,
    },
    auth: { subject: '6f1c2d3e-4a5b-4c6d-8e7f-9a0b1c2d3e4f', roles: [], scopes: [] },
    others: [
      ['an anonymous user', { is_anonymous: true }, 'check_failed'],
      [
        'an API key',
        { sub: undefined, aud: undefined, session_id: undefined, role: 'service_role' },
        'token_claim_missing',
      ],
      ['a token of another project', { iss: 'https://zzzzzzzzzzzzzzzz.supabase.co/auth/v1' }, 'token_issuer_invalid'],
    ],
  },
}

for (const [name, { options, header, claims, auth: expected, others }] of Object.entries(products)) {
  const keys = header.alg === 'RS256' ? rsaKeys : ecKeys
  const guard = createGuard({ keys, revocation: null, now: () => ISSUED * 1000, ...options })

  test(`other issuers: a token in the format of ${name} is accepted with the documented options`, () => {
    const auth = guard.authenticate(bearing(token(header, claims)))
    assert.ok(auth !== undefined && !(auth instanceof Promise))
    for (const [member, value] of Object.entries(expected)) assert.deepEqual(auth[member as keyof Auth], value, member)
  })

  test(`other issuers: other tokens that ${name} signs with the same keys are refused`, () => {
    for (const [what, differences, code] of others) {
      const text = token(header, { ...claims, ...differences })
      assert.throws(
        () => guard.authenticate(bearing(text)),
        (error) => error instanceof GuardError && error.code === code,
        what,
      )
    }
  })

  test(`other issuers: a token of ${name} is not accepted with the default options`, () => {
    const { issuer, audience } = options
    const own = createGuard({ issuer, audience, keys, revocation: null, now: () => ISSUED * 1000 })
    assert.throws(() => own.authenticate(bearing(token(header, claims))), { code: 'token_type_invalid' })
  })
}

test('other issuers: azp is the client id only if there is no client_id', async () => {
  const { options, header, claims } = products.Auth0 as Product
  const guard = createGuard({ keys: rsaKeys, revocation: null, now: () => ISSUED * 1000, ...options })
  const clients: [more: Claims, clientId: string | undefined][] = [
    [{ client_id: 'own' }, 'own'],
    [{ azp: ['a', 'b'] }, undefined],
    [{ azp: undefined }, undefined],
  ]
  for (const [more, clientId] of clients) {
    const auth = await guard.authenticate(bearing(token(header, { ...claims, ...more })))
    assert.equal(auth.clientId, clientId)
  }
})
