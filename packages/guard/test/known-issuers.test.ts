import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it, test } from 'node:test'
import { createGuard, type GuardError, type GuardOptions } from '../src/index.ts'
import * as known from '../src/issuers/index.ts'

const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'
const OTHER_TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const now = Math.floor(Date.now() / 1000)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }

/** An issuer on loopback: metadata for each path, and one set of keys. */
class FakeIssuer {
  readonly #server = createServer(({ url = '' }, response) => {
    const path = url.replace('/.well-known/openid-configuration', '')
    const named = this.#issuers.find((issuer) => issuer.replace(/\/$/, '') === `${this.origin}${path}`)
    const document = url === '/keys' ? { keys: this.keys } : named && { issuer: named, jwks_uri: `${this.origin}/keys` }
    response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  readonly #issuers: string[] = []
  origin = ''
  keys: object[] = [jwk]

  async start() {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready))
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Returns the issuer with this path. */
  at(path: string): string {
    const issuer = `${this.origin}${path}`
    this.#issuers.push(issuer)
    return issuer
  }

  stop() {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

function token(header: object, claims: object, key: KeyObject = rsa.privateKey): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'RS256', kid: 'k1', ...header })}.${encode(claims)}`
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
}

type Claims = Readonly<Record<string, unknown>>

interface Case {
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

const times = { iat: now, nbf: now, exp: now + 3600 }
const JWT = { typ: 'JWT' }

/** Tokens in the shape that each provider documents. */
const CASES: Readonly<Record<string, Case>> = {
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

describe('known issuers', () => {
  const issuers = new FakeIssuer()
  before(() => issuers.start())
  after(() => issuers.stop())

  async function outcome(options: GuardOptions, text: string) {
    const guard = createGuard(options)
    const name = typeof options.token === 'object' ? (options.token.header as string) : 'authorization'
    const headers = { [name]: name === 'authorization' ? `Bearer ${text}` : text }
    try {
      return await guard.authenticate({ headers })
    } catch (error) {
      return (error as GuardError).code
    } finally {
      await guard.close()
    }
  }

  for (const [name, { options: create, header, claims, auth, refused }] of Object.entries(CASES)) {
    it(`${name}: accepts its token, and refuses ${refused.map(([what]) => what).join('; ')}`, async () => {
      const options = create(issuers)
      const own = { iss: options.issuer ?? '', ...claims }
      const accepted = await outcome(options, token(header, own))
      assert.ok(typeof accepted === 'object', String(accepted))
      const { subject, scopes, roles, clientId } = accepted
      const expected = { scopes: [], roles: [], clientId: undefined, ...auth }
      assert.deepEqual({ subject, scopes, roles, clientId }, expected)
      for (const [what, changed, code] of refused) {
        assert.equal(await outcome(options, token(header, { ...own, ...changed })), code, what)
      }
      const slash = own.iss.endsWith('/') ? own.iss.slice(0, -1) : `${own.iss}/`
      assert.equal(await outcome(options, token(header, { ...own, iss: slash })), 'token_issuer_invalid')
      const forged = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      assert.equal(await outcome(options, token(header, own, forged)), 'token_signature_invalid')
    })
  }

  it('entra: of several tenants, each is accepted with its own tid only, and others are refused', async () => {
    for (const tenant of [TENANT, OTHER_TENANT]) issuers.at(`/${tenant}/v2.0`)
    const options = known.entra({ tenants: [TENANT, OTHER_TENANT], audience: 'api', authority: issuers.origin })
    const claims = { ...times, aud: 'api', azp: 'spa', sub: 'S' }
    const of = (tenant: string, tid = tenant) =>
      outcome(options, token(JWT, { ...claims, iss: `${issuers.origin}/${tenant}/v2.0`, tid }))
    for (const tenant of [TENANT, OTHER_TENANT]) assert.equal(typeof (await of(tenant)), 'object')
    assert.equal(await of(TENANT, OTHER_TENANT), 'check_failed')
    assert.equal(await of('11111111-2222-3333-4444-555555555555'), 'token_issuer_invalid')
  })

  it('entra: a key is used for the issuers that it names only', async () => {
    issuers.at(`/${TENANT}/v2.0`)
    const options = known.entra({ tenant: TENANT, audience: 'api', authority: issuers.origin })
    const iss = `${issuers.origin}/${TENANT}/v2.0`
    const text = token(JWT, { ...times, aud: 'api', azp: 'spa', sub: 'S', tid: TENANT, iss })
    const other = {
      ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
      kid: 'k2',
    }
    const verdicts: readonly [issuer: string, isUsed: boolean][] = [
      [`${issuers.origin}/{tenantid}/v2.0`, true],
      [iss, true],
      [`${issuers.origin}/${OTHER_TENANT}/v2.0`, false],
      ['https://login.microsoftonline.us/{tenantid}/v2.0', false],
      [`${issuers.origin}/{tenantid}`, false],
      ['{tenantid}', false],
    ]
    try {
      for (const [issuer, isUsed] of verdicts) {
        issuers.keys = [{ ...jwk, issuer }, other]
        const result = await outcome(options, text)
        if (isUsed) assert.equal(typeof result, 'object', issuer)
        else assert.equal(result, 'token_key_unknown', issuer)
      }
    } finally {
      issuers.keys = [jwk]
    }
  })

  it('cloudflareAccess: the subject of a service token is its client id', async () => {
    const { options: create, header, claims } = CASES.cloudflareAccess as Case
    const options = create(issuers)
    const service = { ...claims, iss: options.issuer, sub: '', common_name: '09fe.access', email: undefined }
    const auth = await outcome(options, token(header, service))
    assert.ok(typeof auth === 'object')
    assert.deepEqual([auth.subject, auth.clientId], ['09fe.access', '09fe.access'])
  })

  it('one guard accepts the tokens of several known issuers, each by its own rules', async () => {
    const options = {
      ...known.keycloak({ url: issuers.origin, realm: 'two', audience: 'api' }),
      issuers: [known.oidc({ issuer: issuers.at('/two-oidc'), audience: 'other-api' })],
    }
    issuers.at('/realms/two')
    const first = { ...CASES.keycloak?.claims, iss: `${issuers.origin}/realms/two` }
    assert.equal(typeof (await outcome(options, token(JWT, first))), 'object')
    const second = { ...times, aud: 'other-api', sub: 'u', iss: `${issuers.origin}/two-oidc` }
    assert.equal(typeof (await outcome(options, token(JWT, second))), 'object')
    assert.equal(await outcome(options, token(JWT, { ...second, aud: 'api' })), 'token_audience_invalid')
  })
})

test('known issuers: a variable that is not set, and a URL instead of a name, are refused', () => {
  const unset = undefined as unknown as string
  const wrong: readonly [call: () => unknown, message: RegExp][] = [
    [() => known.entra({ tenant: unset, audience: 'a' }), /^entra: tenant must be the id of a tenant/],
    [() => known.entra({ tenant: 'common', audience: 'a' }), /'common' and 'organizations' are no tenants/],
    [() => known.entra({ audience: 'a' } as never), /^entra: tenant or tenants must be given$/],
    [() => known.entra({ tenants: [] as never, audience: 'a' }), /^entra: tenants must be/],
    [() => known.auth0({ domain: 'https://x.auth0.com/', audience: 'a' }), /^auth0: domain must be a host name/],
    [() => known.auth0({ domain: 'x.auth0.com', audience: unset }), /^auth0: audience must be given/],
    [() => known.okta({ domain: unset, audience: 'a' }), /^okta: domain must be given/],
    [() => known.keycloak({ url: 'https://x/', realm: 'r', audience: 'a' }), /^keycloak: url must be an https URL/],
    [() => known.keycloak({ url: 'https://x', realm: 'a/b', audience: 'a' }), /^keycloak: realm must be/],
    [() => known.cognito({ userPool: 'X', clients: 'c' }), /^cognito: userPool must be the id/],
    [() => known.cognito({ userPool: 'eu-central-1_X', clients: unset }), /^cognito: clients must be given/],
    [() => known.google({ clients: [] as never }), /^google: clients must be the id of a client/],
    [() => known.firebase({ project: 'a/b' }), /^firebase: project must be/],
    [() => known.apple({} as never), /^apple: clients must be given/],
    [() => known.clerk({ domain: 'c.example.com' } as never), /^clerk: authorizedParties must be given/],
    [() => known.supabase({ url: 'abc' }), /^supabase: url must be an https URL/],
    [() => known.githubActions({ audience: 'a', repositories: 'octo' }), /^githubActions: repositories must be/],
    [() => known.kubernetes({ issuer: 'i', audience: 'a', serviceAccounts: 'x' }), /^kubernetes: serviceAccounts must/],
    [() => known.cloudflareAccess({ team: 'x.y', audience: 'a' }), /^cloudflareAccess: team must be/],
    [() => known.oidc({ issuer: unset, audience: 'a' }), /^oidc: issuer must be given/],
    [() => known.okta({ domain: 'a.okta.com', audience: 'a', scope: 'x' } as never), /there is no option "scope"/],
  ]
  for (const [call, message] of wrong)
    assert.throws(call, (error: Error) => error instanceof TypeError && message.test(error.message))
})
