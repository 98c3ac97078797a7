import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it, test } from 'node:test'
import { createGuard, type GuardError, type GuardOptions } from '../src/index.ts'
import * as known from '../src/issuers/index.ts'
import { FakeIssuer, jwk, token } from './fake-issuer.ts'
import { CASES, type Case, JWT, OTHER_TENANT, TENANT, times } from './known-issuer-cases.ts'

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
