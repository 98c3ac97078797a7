import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { HOUR, MINUTE, standing } from '../server.ts'
import { type OAuthServer, STORE_KINDS, startOAuth } from './oauth.ts'

const ID = /^cli_[\w-]{22}$/
const SECRET_FORM = /^sws_[\w-]{43}$/

for (const [name, kind] of Object.entries(STORE_KINDS)) {
  describe(`API clients: ${name}`, () => {
    let server: OAuthServer

    before(async () => {
      server = await startOAuth({}, kind)
    })
    after(() => server[Symbol.asyncDispose]())

    const works = async (id: string, secret: string) => {
      const { status, body } = await server.post('/oauth/token', { grant_type: 'client_credentials' }, { id, secret })
      return status === 200 ? 'token' : body.error
    }
    const stands = (token: string) => standing(server.auth, token)

    it('are created with a secret that is returned once, and listed without it', async () => {
      const { clients } = server.auth
      const { client, secret } = await clients.create({ name: 'Nächtlicher Export', scopes: ['a:b', 'c', 'a:b'] })
      assert.match(client.id, ID)
      assert.match(secret, SECRET_FORM)
      const now = new Date(server.clock.time)
      assert.deepEqual(client, {
        ...{ id: client.id, name: 'Nächtlicher Export', scopes: ['a:b', 'c'], disabled: false },
        ...{ secrets: [{ createdAt: now, expiresAt: undefined }], createdAt: now, updatedAt: now },
      })
      const bare = await clients.create({ name: 'x' })
      assert.deepEqual(bare.client.scopes, [])
      assert.deepEqual(await clients.get(client.id), client)
      const all = await clients.list()
      assert.deepEqual(
        all.map(({ id }) => id),
        [client.id, bare.client.id].sort(),
      )
      const [first] = await clients.list({ limit: 1 })
      assert.deepEqual(await clients.list({ after: first?.id as string }), all.slice(1))
      assert.deepEqual(await works(client.id, secret), 'token')
      assert.deepEqual(await works(client.id, bare.secret), 'invalid_client', 'the secret of another client')
    })

    it('invalid names, scopes and overlaps are refused', async () => {
      const { clients } = server.auth
      const names = ['', ' ', 'x'.repeat(129), 'a\nb', 'a\u0000', 7, null]
      const scopes = [
        ['a b'],
        [''],
        ['"'],
        ['\\'],
        ['é'],
        ['x'.repeat(65)],
        Array(65).fill('a'),
        'a',
        [7],
        [null],
        null,
      ]
      for (const bad of names) {
        await assert.rejects(clients.create({ name: bad as string }), { code: 'validation_failed' }, String(bad))
      }
      const { client } = await clients.create({ name: 'x', scopes: Array.from({ length: 64 }, (_, i) => `s${i}`) })
      for (const bad of scopes) {
        const wrong = { scopes: bad as string[] }
        if (bad !== null) await assert.rejects(clients.create({ name: 'x', ...wrong }), { code: 'validation_failed' })
        await assert.rejects(clients.update(client.id, wrong), { code: 'validation_failed' })
      }
      for (const overlap of [-1, '1x', Number.NaN, '91d', 1.5, null]) {
        await assert.rejects(clients.rotate(client.id, { overlap: overlap as number }), { code: 'validation_failed' })
      }
      assert.deepEqual(await clients.get(client.id), client)
    })

    it('an unknown id is not found, even if it is malformed', async () => {
      const { clients } = server.auth
      for (const id of [
        `cli_${'A'.repeat(22)}`,
        `cli_${'-'.repeat(22)}`,
        'sealwax',
        '',
        '\u0000',
        "'",
        'x'.repeat(9000),
      ]) {
        assert.deepEqual([await clients.get(id), await clients.delete(id)], [undefined, false])
        for (const act of ['update', 'rotate', 'disable', 'enable'] as const) {
          await assert.rejects(clients[act](id, {}), { code: 'not_found' }, act)
        }
      }
    })

    it('after a rotation two secrets are valid until the overlap ends', async () => {
      const { client, secret: first } = await server.auth.clients.create({ name: 'x' })
      const { secret: second, client: same } = await server.auth.clients.rotate(client.id, { overlap: '1h' })
      assert.deepEqual([same.id, second === first], [client.id, false])
      assert.match(second, SECRET_FORM)
      server.clock.advance(HOUR - 1)
      assert.deepEqual([await works(client.id, first), await works(client.id, second)], ['token', 'token'])
      server.clock.advance(1)
      assert.deepEqual([await works(client.id, first), await works(client.id, second)], ['invalid_client', 'token'])
    })

    it('a rotation within the overlap is refused and ends no secret; with an overlap of 0 all others end immediately', async () => {
      const { clients } = server.auth
      const { client, secret: first } = await clients.create({ name: 'x' })
      const { secret: second } = await clients.rotate(client.id, { overlap: '1h' })
      const all = async (...secrets: string[]) => Promise.all(secrets.map((secret) => works(client.id, secret)))
      const end = new Date(server.clock.time + HOUR).toISOString()
      const before = await clients.get(client.id)
      for (const again of [undefined, { overlap: 1 }, { overlap: '90d' }] as const) {
        await assert.rejects(clients.rotate(client.id, again), (error: Error & { code: string; status: number }) => {
          assert.deepEqual([error.code, error.status], ['rotation_under_way', 409])
          return error.message.includes(end)
        })
      }
      assert.deepEqual(await clients.get(client.id), before)
      assert.deepEqual(await all(first, second), ['token', 'token'])
      const { secret: third } = await clients.rotate(client.id, { overlap: 0 })
      assert.deepEqual(await all(first, second, third), ['invalid_client', 'invalid_client', 'token'])
      const { secret: fourth } = await clients.rotate(client.id, { overlap: '1h' })
      server.clock.advance(HOUR)
      const { secret: fifth } = await clients.rotate(client.id, { overlap: '1h' })
      assert.deepEqual(await all(third, fourth, fifth), ['invalid_client', 'token', 'token'])
      server.clock.advance(24 * HOUR)
      assert.deepEqual(await all(fourth, fifth), ['invalid_client', 'token'], 'the current secret does not expire')
    })

    it('of concurrent rotations one succeeds, and the previous secret stays valid', async () => {
      const { client, secret } = await server.auth.clients.create({ name: 'x' })
      const rotated = await Promise.allSettled(Array.from({ length: 6 }, () => server.auth.clients.rotate(client.id)))
      const made = rotated.flatMap((one) => (one.status === 'fulfilled' ? [one.value.secret] : []))
      const refused = rotated.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
      assert.deepEqual([made.length, refused], [1, Array(5).fill('rotation_under_way')])
      assert.deepEqual(await Promise.all([secret, ...made].map((one) => works(client.id, one))), ['token', 'token'])
    })

    it('show when their live secrets were created and when they end; a rotation sets updatedAt', async () => {
      const { clients } = server.auth
      const { client } = await clients.create({ name: 'x' })
      const other = await clients.create({ name: 'y' })
      const made = new Date(server.clock.time)
      server.clock.advance(MINUTE)
      const now = new Date(server.clock.time)
      const { client: rotated } = await clients.rotate(client.id, { overlap: '1h' })
      const old = { createdAt: made, expiresAt: new Date(server.clock.time + HOUR) }
      const current = { createdAt: now, expiresAt: undefined }
      assert.deepEqual([rotated.secrets, rotated.createdAt, rotated.updatedAt], [[old, current], made, now])
      const listed = await clients.list({ limit: 500 })
      assert.deepEqual(
        [client.id, other.client.id].map((id) => listed.find((one) => one.id === id)),
        [rotated, other.client],
      )
      assert.deepEqual(await clients.get(client.id), rotated)
      server.clock.advance(HOUR)
      assert.deepEqual((await clients.get(client.id))?.secrets, [current])
    })

    it('disabling immediately ends secrets and tokens; enabling restores the secrets but not the tokens', async () => {
      const machine = await server.machine('a')
      const old = await server.tokenOf(machine)
      assert.equal((await server.auth.clients.disable(machine.id)).disabled, true)
      assert.deepEqual([await stands(old), await works(machine.id, machine.secret)], ['token_stale', 'invalid_client'])
      await server.auth.clients.disable(machine.id)
      assert.equal((await server.auth.clients.enable(machine.id)).disabled, false)
      await server.auth.clients.enable(machine.id)
      assert.deepEqual([await stands(old), await stands(await server.tokenOf(machine))], ['token_stale', 'accepted'])
    })

    it('a removed scope immediately makes tokens stale; a new name or a new scope does not', async () => {
      const machine = await server.machine('a', 'b')
      const { update } = server.auth.clients
      const old = await server.tokenOf(machine)
      await update(machine.id, { name: 'another name' })
      await update(machine.id, { scopes: ['c', 'b', 'a'] })
      assert.equal(await stands(old), 'accepted')
      server.clock.advance(MINUTE)
      const changed = await update(machine.id, { scopes: ['a'] })
      assert.deepEqual(
        [changed.name, changed.scopes, changed.updatedAt],
        ['another name', ['a'], new Date(server.clock.time)],
      )
      assert.equal(await stands(old), 'token_stale')
      const granted = await server.post('/oauth/token', { grant_type: 'client_credentials' }, machine)
      assert.deepEqual([granted.body.scope, await stands(granted.body.access_token as string)], ['a', 'accepted'])
    })

    it('deleting ends the secrets and tokens of the client, and nothing of other clients', async () => {
      const [gone, kept] = [await server.machine('a'), await server.machine('a')]
      const tokens = [await server.tokenOf(gone), await server.tokenOf(kept)]
      assert.equal(await server.auth.clients.delete(gone.id), true)
      assert.equal(await server.auth.clients.delete(gone.id), false)
      assert.equal(await works(gone.id, gone.secret), 'invalid_client')
      assert.deepEqual(await Promise.all(tokens.map(stands)), ['token_stale', 'accepted'])
    })

    it('every change writes an audit event; a call that changes nothing writes none', async () => {
      const { clients } = server.auth
      const { client } = await clients.create({ name: 'x', scopes: ['a'] })
      await clients.update(client.id, { scopes: ['b'] })
      server.clock.advance(MINUTE)
      const before = await clients.get(client.id)
      for (const same of [{}, { name: 'x' }, { scopes: ['b', 'b'] }, { name: 'x', scopes: ['b'] }]) {
        assert.deepEqual(await clients.update(client.id, same), before)
      }
      await clients.update(client.id, { name: 'y', scopes: ['b'] })
      await clients.rotate(client.id, { overlap: 60 })
      for (const act of ['disable', 'disable', 'enable', 'enable', 'delete', 'delete'] as const) {
        await clients[act](client.id).catch(() => undefined)
      }
      const { data } = await server.auth.audit.list({ subject: client.id })
      assert.deepEqual(data.map((event) => [event.type, event.data]).reverse(), [
        ['client.created', { name: 'x', scopes: ['a'] }],
        ['client.updated', { scopes: ['b'] }],
        ['client.updated', { name: 'y' }],
        ['client.secret_rotated', { overlap_seconds: 60 }],
        ['client.disabled', {}],
        ['client.enabled', {}],
        ['client.deleted', {}],
      ])
    })

    it('share no ids with users: no user or subject may have an id that starts with cli_', async () => {
      const { id } = await server.machine()
      for (const taken of [id, 'cli_x', 'cli_']) {
        const user = { id: taken, email: 'ann@example.com', password: 'a password long enough' }
        await assert.rejects(server.auth.users.create(user), { code: 'validation_failed' })
        await assert.rejects(server.auth.sessions.create({ subject: taken }), { code: 'validation_failed' })
      }
      assert.equal(
        (await server.auth.users.create({ id: 'client', email: 'b@example.com', password: 'a password long enough' }))
          .id,
        'client',
      )
    })

    it('the token of a client is refused at /logout, /sessions and /me', async () => {
      const token = await server.tokenOf(await server.machine('a'))
      const routes = ['POST /logout', 'GET /sessions', 'DELETE /sessions', 'DELETE /sessions/x', 'GET /me']
      for (const [method = '', path = ''] of routes.map((route) => route.split(' '))) {
        const reply = await server.call(path, { method, token })
        assert.deepEqual([reply.status, reply.body.code], [400, 'invalid_request'], `${method} ${path}`)
      }
      assert.equal(await stands(token), 'accepted')
    })
  })
}
