import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toNodeHandler } from '../../src/http/node.ts'
import { createAuth } from '../../src/index.ts'
import { call, listen, PASSWORD, SECRET } from '../server.ts'
import { STORES } from '../stores.ts'

const NUL = 'a\0b'
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }
const basic = (id: string) => ({ ...FORM, Authorization: `Basic ${Buffer.from(`${id}:x`).toString('base64')}` })

/** The outcomes of calls that are not refused with `validation_failed`. */
const OTHERWISE: Record<string, unknown> = {
  'users.create email': 'email_invalid',
  'users.find': 'email_invalid',
  'users.update email': 'email_invalid',
  'sessions.refresh': 'invalid_grant',
  'sessions.confirm': 'invalid_grant',
  'keys.revoke': 'not_found',
  'clients.get': undefined,
  'clients.update': 'not_found',
  'clients.rotate': 'not_found',
  'clients.disable': 'not_found',
  'clients.delete': false,
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`attack: a NUL character in any parameter causes no server error: ${name}`, () => {
    it('in HTTP requests', async () => {
      await using opened = await open()
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: opened.store,
      })
      await using server = await listen(toNodeHandler(auth))
      const admin = await auth.users.create({
        id: 'admin',
        email: 'admin@example.com',
        password: PASSWORD,
        roles: ['sealwax:admin'],
      })
      const { access_token: token } = await auth.sessions.create({ subject: admin.id })
      const credentials = { email: 'ann@example.com', password: PASSWORD }
      const json = (path: string, body: object, method = 'POST') => ({ path, method, json: body, token })
      const form = (path: string, body: string, headers: Record<string, string> = FORM) => ({ path, body, headers })
      const requests = [
        json('/login', { ...credentials, email: `${NUL}@example.com` }),
        json('/login', { ...credentials, email: `ann@${NUL}.example` }),
        json('/login', { ...credentials, device: NUL }),
        json('/register', { ...credentials, email: `${NUL}@example.com` }),
        json('/register', { ...credentials, device: NUL }),
        json('/refresh', { refresh_token: NUL }),
        json('/refresh', { refresh_token: `swr_${NUL}` }),
        json('/refresh/confirm', { refresh_token: NUL }),
        json('/sessions/a%00b', {}, 'DELETE'),
        json('/admin/keys/a%00b/revoke', {}),
        json('/admin/clients', { name: NUL, scopes: [] }),
        json('/admin/clients', { name: 'x', scopes: [NUL] }),
        json('/admin/clients/a%00b', { name: 'x' }, 'PATCH'),
        json('/admin/clients/a%00b', {}, 'DELETE'),
        json('/admin/clients/a%00b/rotate', {}),
        { path: '/admin/clients/a%00b', token },
        { path: '/admin/clients?after=a%00b', token },
        form('/oauth/token', 'grant_type=client_credentials&client_id=a%00b&client_secret=x'),
        form('/oauth/token', 'grant_type=client_credentials&client_id=cli_x&client_secret=%00'),
        form('/oauth/token', 'grant_type=%00'),
        form('/oauth/token', 'grant_type=client_credentials&scope=a%00b', basic('cli_x')),
        form('/oauth/token', 'grant_type=client_credentials', basic('a%00b')),
        form('/oauth/token', 'grant_type=client_credentials', basic('a\0b')),
        form('/oauth/token', 'grant_type=refresh_token&refresh_token=%00'),
        form('/oauth/introspect', 'token=%00', basic('cli_x')),
        form('/oauth/introspect', 'token=a&client_id=a%00b&client_secret=x'),
        form('/oauth/revoke', 'token=a%00b'),
        form('/oauth/revoke', 'token=a&token_type_hint=%00'),
      ]
      for (const { path, ...request } of requests) {
        const reply = await call(server.url, path, request)
        // Revoking or introspecting an unknown token is not an error (RFC 7009 §2.2, RFC 7662
        // §2.2).
        const expected = ['/oauth/revoke', '/oauth/introspect'].includes(path) ? [200, 400, 401] : [400, 401, 404, 422]
        assert.ok(expected.includes(reply.status), `${path} ${JSON.stringify(request)}: ${reply.status}`)
      }
      // An invalid cursor returns the feed from the beginning.
      assert.equal((await call(server.url, '/.well-known/revocations?after=a%00b')).status, 200)
      await auth.close()
    })

    it('in library calls', async () => {
      await using opened = await open()
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: opened.store,
      })
      const { users, sessions, clients, keys, audit } = auth
      const { id } = await users.create({ email: 'ann@example.com', password: PASSWORD })
      const { refresh_token } = await sessions.create({ subject: id })
      const made = await clients.create({ name: 'x' })
      const calls: Record<string, () => Promise<unknown>> = {
        'users.create id': () => users.create({ id: NUL, email: 'b@example.com', password: PASSWORD }),
        'users.create email': () => users.create({ email: `${NUL}@example.com`, password: PASSWORD }),
        'users.create roles': () => users.create({ email: 'c@example.com', password: PASSWORD, roles: [NUL] }),
        'users.get': () => users.get(NUL),
        'users.find': () => users.find(`${NUL}@example.com`),
        'users.list': () => users.list({ after: NUL }),
        'users.update': () => users.update(NUL, { email: 'd@example.com' }),
        'users.update email': () => users.update(id, { email: `${NUL}@example.com` }),
        'users.setRoles': () => users.setRoles(NUL, []),
        'users.disable': () => users.disable(NUL),
        'users.enable': () => users.enable(NUL),
        'users.delete': () => users.delete(NUL),
        'sessions.create': () => sessions.create({ subject: NUL }),
        'sessions.create scope': () => sessions.create({ subject: id, scope: NUL }),
        'sessions.create client': () => sessions.create({ subject: id, client: { ip: NUL, userAgent: NUL } } as never),
        'sessions.refresh': () => sessions.refresh(NUL),
        'sessions.refresh user agent': () => sessions.refresh(refresh_token as string, { userAgent: NUL }),
        'sessions.confirm': () => sessions.confirm(NUL),
        'sessions.list': () => sessions.list(NUL),
        'sessions.revoke': () => sessions.revoke(NUL),
        'sessions.revokeAll': () => sessions.revokeAll(NUL),
        'sessions.revokeAll except': () => sessions.revokeAll(id, { except: NUL }),
        'keys.revoke': () => keys.revoke(NUL),
        'clients.create': () => clients.create({ name: NUL }),
        'clients.get': () => clients.get(NUL),
        'clients.list': () => clients.list({ after: NUL }),
        'clients.update': () => clients.update(NUL, { name: 'y' }),
        'clients.update name': () => clients.update(made.client.id, { name: NUL }),
        'clients.rotate': () => clients.rotate(NUL),
        'clients.disable': () => clients.disable(NUL),
        'clients.delete': () => clients.delete(NUL),
        'audit.list subject': () => audit.list({ subject: NUL }),
        'audit.list type': () => audit.list({ type: NUL }),
      }
      for (const [which, run] of Object.entries(calls)) {
        const outcome = await run().then(
          (value) => value,
          (error) => error.code,
        )
        if (which in OTHERWISE) assert.deepEqual(outcome, OTHERWISE[which], which)
        else assert.equal(outcome, 'validation_failed', which)
      }
      // Roles are stored as JSON, in which NUL is escaped.
      const { session } = await sessions.create({ subject: id, roles: [NUL] })
      assert.ok((await sessions.list(id)).some((each) => each.id === session.id))
      await auth.close()
    })
  })
}
