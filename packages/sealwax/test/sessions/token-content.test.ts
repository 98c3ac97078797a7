import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unsafeDecode } from '@sealwax/jwt'
import type { LoadSubject } from '../../src/index.ts'
import { assertProblem, PASSWORD, startAuth } from '../server.ts'

/** Values that cannot be part of a token, by what is wrong with them. */
const UNSIGNABLE: Readonly<Record<string, object>> = {
  'a claim that is a Date': { claims: { since: new Date(0) } },
  'a claim within a claim that is a Map': { claims: { tenant: { names: new Map() } } },
  'a claim that is a function': { claims: { tenant: () => 't1' } },
  'a claim that is a bigint': { claims: { tenant: 1n } },
  'a claim that is not a finite number': { claims: { tenant: Number.NaN } },
  'a claim with a lone surrogate': { claims: { tenant: '\ud800' } },
  'a claim named __proto__': { claims: JSON.parse('{"__proto__": 1}') },
  'claims longer than a token may be': { claims: { tenant: 'x'.repeat(12_000) } },
  'claims that are null': { claims: null },
  'claims that are a string': { claims: 'tenant' },
  'claims that are a list': { claims: ['tenant'] },
  'claims that are a Map': { claims: new Map([['tenant', 't1']]) },
  'claims that are a Date': { claims: new Date(0) },
  'a role with a lone surrogate': { roles: ['\ud800'] },
}
const SPARSE: string[] = []
SPARSE[1] = 'editor'

describe('values that cannot be part of a token', () => {
  for (const [what, given] of Object.entries({ ...UNSIGNABLE, 'a sparse list of roles': { roles: SPARSE } })) {
    it(`${what}: sessions.create refuses it, stores no session and ends no existing one`, async () => {
      await using server = await startAuth({ maxSessions: 1 })
      const { sessions } = server.auth
      const { session } = await sessions.create({ subject: 'ann' })
      await assert.rejects(sessions.create({ subject: 'ann', ...given }), { code: 'validation_failed' })
      assert.deepEqual(
        (await sessions.list('ann')).map(({ id }) => id),
        [session.id],
      )
    })

    it(`${what}, from loadSubject: no session begins, and a session that is refreshed keeps its token`, async () => {
      let answer: unknown = {}
      const loadSubject = async () => answer as ReturnType<LoadSubject>
      await using server = await startAuth({ loadSubject, maxSessions: 1 })
      const credentials = { email: 'ann@example.com', password: PASSWORD }
      await server.auth.users.create({ id: 'ann', ...credentials })
      const { session, refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
      answer = given
      await assert.rejects(server.auth.sessions.create({ subject: 'ann' }), TypeError)
      assertProblem(await server.call('/login', { json: credentials, fault: true }), [500, 'internal_error'])
      await assert.rejects(server.auth.sessions.refresh(refresh_token), TypeError)
      assert.deepEqual(
        (await server.auth.sessions.list('ann')).map(({ id }) => id),
        [session.id],
      )
      const types = (await server.auth.audit.list({ subject: 'ann' })).data.map(({ type }) => type)
      assert.deepEqual(types, ['session.created', 'user.created'])
      answer = {}
      assert.equal((await server.auth.sessions.refresh(refresh_token)).session.id, session.id)
    })
  }

  it('amr and scope are checked too', async () => {
    await using server = await startAuth()
    for (const given of [{ amr: SPARSE }, { scope: '\ud800' }]) {
      await assert.rejects(server.auth.sessions.create({ subject: 'ann', ...given }), { code: 'validation_failed' })
    }
    assert.deepEqual(await server.auth.sessions.list('ann'), [])
  })

  it('claims of JSON values are in the token, without undefined members', async () => {
    await using server = await startAuth()
    const claims = { tenant: { ids: [1, null, 'x'], own: true }, left: undefined }
    const { access_token } = await server.auth.sessions.create({ subject: 'ann', claims })
    const { payload } = unsafeDecode(access_token)
    assert.deepEqual(payload.tenant, claims.tenant)
    assert.ok(!('left' in payload))
  })
})
