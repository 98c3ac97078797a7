import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { assertProblem, DAY, PASSWORD, type Reply, type Started, startAuth } from '../server.ts'

let server: Started
let admin: string

before(async () => {
  server = await startAuth({ allowedOrigins: ['https://admin.example.com'] })
  admin = await tokenFor('sealwax:admin')
})
after(() => server[Symbol.asyncDispose]())

async function tokenFor(...roles: string[]): Promise<string> {
  const email = `${roles.join('-').replaceAll(':', '-') || 'nobody'}@example.com`
  await server.auth.users.create({ email, password: PASSWORD, roles })
  return (await server.call('/login', { json: { email, password: PASSWORD } })).body.access_token
}

const read = (reply: Reply) => JSON.parse(reply.text)

describe('/admin/clients', () => {
  it('creates, lists, shows, changes, rotates, disables, enables and deletes', async () => {
    const created = await server.call('/admin/clients', { json: { name: 'export', scopes: ['a'] }, token: admin })
    assert.deepEqual([created.status, created.headers.get('Cache-Control')], [201, 'no-store'])
    const { client, secret } = read(created)
    const time = new Date(server.clock.time).toISOString()
    assert.deepEqual(client, {
      id: client.id,
      name: 'export',
      scopes: ['a'],
      disabled: false,
      secrets: [{ created_at: time, expires_at: null }],
      created_at: time,
      updated_at: time,
    })
    assert.match(secret, /^sws_[\w-]{43}$/)
    const at = `/admin/clients/${client.id}`
    const list = await server.call('/admin/clients?limit=10', { token: admin })
    assert.deepEqual([read(list), list.text.includes('sws_')], [{ data: [client] }, false])
    assert.deepEqual(read(await server.call(`/admin/clients?after=${client.id}`, { token: admin })), { data: [] })
    assert.deepEqual(read(await server.call(at, { token: admin })), client)
    const changed = await server.call(at, { method: 'PATCH', json: { scopes: ['b'] }, token: admin })
    assert.deepEqual([changed.status, read(changed)], [200, { ...client, scopes: ['b'] }])
    for (const json of [undefined, { overlap: 0 }, { overlap: '90d' }]) {
      const rotated = await server.call(`${at}/rotate`, { method: 'POST', token: admin, ...(json && { json }) })
      const { secrets, ...rest } = read(rotated).client
      assert.deepEqual([rotated.status, { ...rest, secrets: client.secrets }], [200, read(changed)])
      const ends = secrets.map((one: { expires_at: string | null }) => one.expires_at)
      const last = server.clock.time + (json === undefined ? DAY : 90 * DAY)
      assert.deepEqual(ends, json?.overlap === 0 ? [null] : [new Date(last).toISOString(), null])
      if (json?.overlap === 0) continue
      const again = await server.call(`${at}/rotate`, { method: 'POST', token: admin })
      assertProblem(again, [409, 'rotation_under_way'])
      assert.ok(again.body.detail.includes(ends[0] as string), again.text)
      assert.notEqual(read(rotated).secret, secret)
    }
    const disabled = await server.call(`${at}/disable`, { method: 'POST', token: admin })
    assert.deepEqual([disabled.status, read(disabled).disabled], [200, true])
    assert.equal(read(await server.call(`${at}/enable`, { method: 'POST', token: admin })).disabled, false)
    const gone = await server.call(at, { method: 'DELETE', token: admin })
    assert.deepEqual([gone.status, gone.text], [204, ''])
    assertProblem(await server.call(at, { token: admin }), [404, 'not_found'])
  })

  const ROUTES: readonly [method: string, path: string, json?: object][] = [
    ['GET', '/admin/clients'],
    ['POST', '/admin/clients', { name: 'x' }],
    ['GET', '/admin/clients/ID'],
    ['PATCH', '/admin/clients/ID', { name: 'y' }],
    ['DELETE', '/admin/clients/ID'],
    ['POST', '/admin/clients/ID/rotate', {}],
    ['POST', '/admin/clients/ID/disable'],
    ['POST', '/admin/clients/ID/enable'],
  ]

  it('requires the role sealwax:admin: other callers get 403, without a token 401, and nothing changes', async () => {
    const { client, secret } = await server.auth.clients.create({ name: 'x', scopes: ['admin'] })
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.id, client_secret: secret })
    const machine = (await server.call('/oauth/token', { body })).body.access_token
    const before = [
      await server.auth.clients.list(),
      (await server.auth.audit.list({ type: 'client.created' })).data.length,
    ]
    const others = { teacher: await tokenFor('teacher', 'administrator', 'admin'), nobody: await tokenFor(), machine }
    for (const [method, path, json] of ROUTES) {
      const at = path.replace('ID', client.id)
      const sent = { method, ...(json !== undefined && { json }) }
      for (const [name, token] of Object.entries(others)) {
        assertProblem(
          await server.call(at, { ...sent, token }),
          [403, 'insufficient_role'],
          `${name}: ${method} ${path}`,
        )
      }
      assertProblem(await server.call(at, sent), [401, 'token_missing'], `${method} ${path}`)
      const basic = `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`
      assertProblem(await server.call(at, { ...sent, headers: { Authorization: basic } }), [401, 'token_missing'])
    }
    const after = [
      await server.auth.clients.list(),
      (await server.auth.audit.list({ type: 'client.created' })).data.length,
    ]
    assert.deepEqual(after, before)
  })

  it('the role is checked before anything else in the request', async () => {
    const nobody = await tokenFor('pupil')
    const long = 'x'.repeat(300)
    for (const [method, path] of [...ROUTES, ['POST', '/admin/keys/ID/revoke']] as [string, string][]) {
      const at = path.replace('ID', long) + (method === 'GET' ? '?limit=x&after=%00' : '')
      const sent = { method, ...(method !== 'GET' && method !== 'DELETE' && { json: { nonsense: 1 } }) }
      assertProblem(await server.call(at, sent), [401, 'token_missing'], `${method} ${path}`)
      assertProblem(await server.call(at, { ...sent, token: nobody }), [403, 'insufficient_role'], `${method} ${path}`)
    }
  })

  it('the audit log records which administrator made a change, and from where', async () => {
    await using own = await startAuth()
    const { id } = await own.auth.users.create({
      email: 'root@example.com',
      password: PASSWORD,
      roles: ['sealwax:admin'],
    })
    const token = (await own.call('/login', { json: { email: 'root@example.com', password: PASSWORD } })).body
      .access_token
    const headers = { 'User-Agent': 'console' }
    const made = read(await own.call('/admin/clients', { json: { name: 'x', scopes: ['a'] }, token, headers }))
    const at = `/admin/clients/${made.client.id}`
    await own.call(at, { method: 'PATCH', json: { scopes: [] }, token, headers })
    for (const verb of ['rotate', 'disable', 'enable']) {
      await own.call(`${at}/${verb}`, { method: 'POST', token, headers })
    }
    await own.call(at, { method: 'DELETE', token, headers })
    const of = await own.auth.audit.list({ subject: made.client.id })
    const events = of.data.map(({ type, data, ip, userAgent }) => [type, data?.by, ip, userAgent]).reverse()
    const acts = ['created', 'updated', 'secret_rotated', 'disabled', 'enabled', 'deleted']
    assert.deepEqual(
      events,
      acts.map((act) => [`client.${act}`, id, '127.0.0.1', 'console']),
    )
    assert.ok(of.data.every((event) => !('by' in event)) && own.events.every((event) => !('by' in event)))
    assert.deepEqual(of.data.at(-1)?.data, { name: 'x', scopes: ['a'], by: id })
    await own.call('/admin/keys/rotate', { method: 'POST', token, headers })
    const [key] = await own.auth.keys.list()
    await own.call(`/admin/keys/${key?.kid}/revoke`, { method: 'POST', token, headers })
    for (const type of ['key.scheduled', 'key.revoked']) {
      const [event] = (await own.auth.audit.list({ type })).data
      assert.deepEqual([event?.data?.by, event?.ip, event?.userAgent], [id, '127.0.0.1', 'console'], type)
    }
  })

  it('an unknown id gets 404, even if it is malformed', async () => {
    for (const [method, path, json] of ROUTES.filter(([, path]) => path.includes('ID'))) {
      for (const id of [`cli_${'A'.repeat(22)}`, 'sealwax', '%00', "'", '..%2f']) {
        const at = path.replace('ID', id)
        const reply = await server.call(at, { method, token: admin, ...(json !== undefined && { json }) })
        assertProblem(reply, [404, 'not_found'], `${method} ${at}`)
      }
    }
  })

  it('every invalid body or query is refused', async () => {
    const { client } = await server.auth.clients.create({ name: 'x' })
    const at = `/admin/clients/${client.id}`
    const bad: [method: string, path: string, json: unknown][] = [
      ...[
        {},
        { name: '' },
        { name: 7 },
        { name: 'x', scopes: 'a' },
        { name: 'x', scopes: ['a b'] },
        { name: 'x', id: 'cli_mine' },
        [],
      ].map((json): [string, string, unknown] => ['POST', '/admin/clients', json]),
      ...[{ disabled: true }, { ver: 1 }, { scopes: [7] }, { name: '\n' }, null].map(
        (json): [string, string, unknown] => ['PATCH', at, json],
      ),
      ...[{ overlap: -1 }, { overlap: 'long' }, { overlap: '91d' }, { overlap: null }, { secret: 'mine' }].map(
        (json): [string, string, unknown] => ['POST', `${at}/rotate`, json],
      ),
    ]
    for (const [method, path, json] of bad) {
      const reply = await server.call(path, { method, json, token: admin })
      assertProblem(reply, [422, 'validation_failed'], `${method} ${path} ${JSON.stringify(json)}`)
    }
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'after=%00', 'after=a&after=b']) {
      assertProblem(await server.call(`/admin/clients?${query}`, { token: admin }), [422, 'validation_failed'], query)
    }
    const form = { body: 'name=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, token: admin }
    assertProblem(await server.call('/admin/clients', form), [415, 'unsupported_media_type'])
    assertProblem(await server.call(at, { ...form, method: 'PATCH' }), [415, 'unsupported_media_type'])
    assert.deepEqual(await server.auth.clients.get(client.id), client)
  })

  it('a console on an allowed origin may use PATCH', async () => {
    const headers = { Origin: 'https://admin.example.com', 'Access-Control-Request-Method': 'PATCH' }
    const reply = await server.call('/admin/clients/x', { method: 'OPTIONS', headers })
    assert.match(reply.headers.get('Access-Control-Allow-Methods') ?? '', /PATCH/)
  })
})
