import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { PASSWORD } from '../server.ts'
import { basic, type OAuthReply, type OAuthServer, startOAuth } from './oauth.ts'

/**
 * Runs valid and invalid requests of API clients and administrators. Returns every secret that was
 * created or sent, and every refusal.
 */
async function walk(server: OAuthServer): Promise<{ secrets: Set<string>; refusals: OAuthReply[] }> {
  const secrets = new Set<string>()
  const refusals: OAuthReply[] = []
  const keep = (reply: OAuthReply) => {
    if (reply.status >= 400) refusals.push(reply)
    for (const member of ['access_token', 'refresh_token', 'secret']) {
      const value = reply.body[member]
      if (typeof value === 'string') secrets.add(value)
    }
    return reply
  }
  const post = async (...sent: Parameters<OAuthServer['post']>) => keep(await server.post(...sent))
  const { id: user } = await server.auth.users.create({
    email: 'root@example.com',
    password: PASSWORD,
    roles: ['sealwax:admin'],
  })
  const { access_token: token, refresh_token } = await server.auth.sessions.create({ subject: user, scope: 'a' })
  const admin = async (path: string, json?: object, method?: string) =>
    keep(await server.call(`/admin/clients${path}`, { token, ...(json && { json }), ...(method && { method }) }))
  for (const secret of [token, refresh_token]) secrets.add(secret)
  const created = await admin('', { name: 'export', scopes: ['introspect'] })
  const { id } = created.body.client as unknown as { id: string }
  const machine = { id, secret: created.body.secret as string }
  const granted = await post('/oauth/token', { grant_type: 'client_credentials' }, machine)
  await admin(`/${id}/rotate`, {})
  await admin('', { name: machine.secret, scopes: [`"${machine.secret}"`] })
  const inBody = { client_id: id, client_secret: machine.secret }
  const wrong = 'sws_a-wrong-but-telling-secret'
  secrets.add(wrong)
  for (const form of [
    { grant_type: machine.secret, ...inBody },
    { grant_type: 'client_credentials', ...inBody, scope: machine.secret },
    { grant_type: 'client_credentials', client_id: machine.secret, client_secret: id },
    { grant_type: 'client_credentials', client_id: id, client_secret: wrong },
    { grant_type: 'refresh_token', refresh_token: `${refresh_token}x` },
    { grant_type: 'refresh_token', refresh_token, scope: refresh_token },
    { grant_type: 'refresh_token', refresh_token, ...inBody },
  ]) {
    await post('/oauth/token', form as Record<string, string>)
  }
  await post('/oauth/token', { grant_type: 'client_credentials' }, { id, secret: wrong })
  await post('/oauth/token', `grant_type=client_credentials&client_secret=${machine.secret}&client_secret=x`)
  await post('/oauth/token', `client_secret=${machine.secret}%`)
  await post(`/oauth/token?client_secret=${machine.secret}`, { grant_type: 'client_credentials' }, machine)
  const as = basic(machine)
  keep(await server.call('/oauth/token', { json: { ...inBody }, headers: as }))
  keep(await server.call('/oauth/token', { headers: as }))
  const refreshed = await post('/oauth/token', { grant_type: 'refresh_token', refresh_token })
  for (const shown of [granted.body.access_token, refreshed.body.refresh_token, refreshed.body.access_token]) {
    await post('/oauth/introspect', { token: shown as string }, machine)
  }
  await post('/oauth/introspect', { token: 'x' }, { id, secret: wrong })
  await post('/oauth/revoke', { token: granted.body.access_token as string }, machine)
  await post('/oauth/revoke', { token: refreshed.body.refresh_token as string })
  await post('/oauth/revoke', {})
  await server.auth.clients.disable(id)
  await post('/oauth/token', { grant_type: 'client_credentials' }, machine)
  return { secrets, refusals }
}

describe('secrets and tokens of clients', () => {
  it('appear in no log line, no event, no audit row and no refusal', async () => {
    await using server = await startOAuth()
    const { secrets, refusals } = await walk(server)
    const audit = await server.auth.audit.list({ limit: 500 })
    assert.ok(secrets.size >= 7 && refusals.length >= 15 && server.lines.length >= 25 && audit.data.length >= 10)
    const places = {
      lines: server.lines,
      events: server.events,
      audit: audit.data,
      refusals: refusals.map(({ text, headers }) => [text, [...headers]]),
    }
    for (const [place, content] of Object.entries(places)) {
      assert.ok(content.length > 5, place)
      for (const shown of [
        JSON.stringify(content),
        inspect(content, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }),
      ]) {
        for (const secret of secrets) assert.ok(!shown.includes(secret), `a secret in ${place}`)
        assert.doesNotMatch(shown, /sws_|swr_|eyJ|Basic [A-Za-z0-9]{8}/, place)
      }
    }
  })

  it('appear in no file: secrets are stored as hashes, tokens not at all', async () => {
    await using server = await startOAuth()
    const { secrets } = await walk(server)
    const { client, secret } = await server.auth.clients.create({ name: 'the last one' })
    secrets.add(secret)
    secrets.add(await server.tokenOf({ id: client.id, secret }))
    const files = ['', '-wal'].map((suffix) => server.file + suffix).filter((file) => existsSync(file))
    const bytes = files.map((file) => readFileSync(file).toString('latin1')).join('')
    assert.ok(bytes.includes('the last one'), 'the client is in these files')
    assert.ok(
      bytes.includes(createHash('sha256').update(secret).digest().toString('latin1')),
      'the hash of the secret is in these files',
    )
    for (const one of secrets) assert.ok(!bytes.includes(one.replace(/^sw[rs]_/, '')), 'a secret in the database')
  })
})
