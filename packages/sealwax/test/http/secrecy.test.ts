import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { secretsOf } from '../../src/core/secrets.ts'
import { MINUTE, PASSWORD, type Reply, SECRET, type Started, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'
const WRONG = 'a wrong but telling passphrase'

/**
 * Everything a user can do, correctly and incorrectly. Returns every secret that was created or
 * sent, and every error response.
 */
async function fullWalk(server: Started) {
  const secrets = new Set([SECRET, PASSWORD, WRONG])
  const refusals: Reply[] = []
  const send = async (path: string, options?: Parameters<Started['call']>[1]) => {
    const reply = await server.call(path, options)
    if (reply.status >= 400) refusals.push(reply)
    for (const token of [reply.body.access_token, reply.body.refresh_token]) if (token) secrets.add(token)
    return reply
  }
  const { body: ann } = await send('/register', { json: { email: EMAIL, password: PASSWORD } })
  await send('/login', { json: { email: EMAIL, password: WRONG } })
  await send('/login', { json: { email: WRONG, password: WRONG } })
  await send('/login', { json: { email: EMAIL, password: [WRONG] } })
  await send('/login', { json: { email: EMAIL, password: WRONG, [WRONG]: 1 }.email })
  await send('/login', { body: `{"password":"${WRONG}`, headers: { 'Content-Type': 'application/json' } })
  await send('/login', { body: `password=${WRONG}`, headers: { 'Content-Type': 'text/plain' } })
  await send('/register', { json: { email: EMAIL, password: PASSWORD } })
  await send('/register', { json: { email: 'bob@example.com', password: 'x'.repeat(300) } })
  await send(`/me?access_token=${ann.access_token}`, { token: ann.access_token })
  await send(`/login?password=${encodeURIComponent(PASSWORD)}`, { json: {} })
  await send('/me', { token: ann.refresh_token })
  await send('/refresh', { json: { refresh_token: ann.access_token } })
  await send('/refresh', { json: { refresh_token: `${ann.refresh_token}x` } })
  await send('/me', { token: `${ann.access_token}x` })
  const headers = { 'User-Agent': 'browser' }
  const { body: second } = await send('/refresh', { json: { refresh_token: ann.refresh_token }, headers })
  await send('/refresh', { json: { refresh_token: ann.refresh_token }, headers: { 'User-Agent': 'elsewhere' } })
  server.clock.advance(MINUTE)
  await send('/refresh', { json: { refresh_token: ann.refresh_token }, headers })
  server.clock.advance(MINUTE)
  await send('/refresh', { json: { refresh_token: second.refresh_token }, headers })
  await send('/refresh', { json: { refresh_token: ann.refresh_token }, headers })
  await send('/me', { token: second.access_token })
  const { body: again } = await send('/login', { json: { email: EMAIL, password: PASSWORD } })
  await server.auth.users.setRoles(ann.user.id, ['teacher'])
  await send('/me', { token: again.access_token })
  const { body: fresh } = await send('/refresh', { json: { refresh_token: again.refresh_token } })
  await send('/sessions', { token: fresh.access_token })
  await send('/logout', { json: { scope: 'all' }, token: fresh.access_token })
  await send('/logout', { json: { refresh_token: fresh.refresh_token } })
  await server.auth.users.update(ann.user.id, { password: `${PASSWORD}!` })
  await server.auth.users.disable(ann.user.id)
  await send('/login', { json: { email: EMAIL, password: `${PASSWORD}!` } })
  await server.auth.close()
  await send('/refresh', { json: { refresh_token: ann.refresh_token } })
  await send('/login', { json: { email: EMAIL, password: PASSWORD } })
  return { secrets, refusals }
}

/** The keys that are stored wrapped in the database, unwrapped. */
function storedSecrets(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const { unwrap } = secretsOf([SECRET], () => assert.fail('nothing is wrapped here'))
  const blobs = (sql: string) => database.prepare(sql).all() as { id: string; blob: Uint8Array }[]
  const found = [
    ...blobs('select kid as id, private_jwk as blob from signing_keys').map(({ id, blob }) => {
      const jwk = JSON.parse(unwrap(blob, `signing_keys\0${id}\0private_jwk`).toString())
      assert.match(jwk.d, /^[\w-]{43}$/)
      return jwk.d as string
    }),
    ...blobs('select id, hmac_key as blob from sessions').flatMap(({ id, blob }) => {
      const key = unwrap(blob, `sessions\0${id}\0hmac_key`)
      return [key.toString('base64url'), key.toString('base64'), key.toString('hex'), key.toString('latin1')]
    }),
  ]
  database.close()
  assert.ok(found.length >= 9)
  return found
}

describe('secrets', () => {
  it('are in no log line, event, audit row or error', async () => {
    await using server = await startAuth()
    const { secrets, refusals } = await fullWalk(server)
    assert.ok(secrets.size >= 12 && refusals.length >= 20 && server.lines.length >= 30 && server.events.length >= 12)
    for (const secret of storedSecrets(server.file)) secrets.add(secret)
    await server.restart()
    const audit = await server.auth.audit.list({ limit: 500 })
    assert.ok(audit.data.length >= 12)
    const places = {
      lines: server.lines,
      events: server.events,
      audit,
      refusals: refusals.map(({ text, headers }) => [text, [...headers]]),
    }
    for (const [place, content] of Object.entries(places)) {
      // Both ways in which a logger may print a value: as JSON, and with hidden properties, such
      // as those of errors.
      for (const shown of [
        JSON.stringify(content),
        inspect(content, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }),
      ]) {
        for (const secret of secrets) assert.ok(!shown.includes(secret), `a secret in ${place}`)
        assert.doesNotMatch(shown, /\$argon2|swr_|eyJ/, place)
      }
    }
  })

  it('are not in the database file or its WAL: no keys, tokens or passwords', async () => {
    await using server = await startAuth()
    const { secrets } = await fullWalk(server)
    for (const secret of storedSecrets(server.file)) secrets.add(secret)
    await server.restart()
    const { refresh_token, access_token } = await server.auth.sessions.create({ subject: 'ann' })
    for (const secret of [refresh_token, access_token, refresh_token.slice(4), ...refresh_token.slice(-43)]) {
      if (secret.length > 1) secrets.add(secret)
    }
    const bytes = ['', '-wal'].map((suffix) => readFileSync(server.file + suffix).toString('latin1')).join('')
    assert.ok(bytes.includes(EMAIL) && bytes.includes('$argon2id$'), 'the files contain the user')
    for (const secret of secrets) assert.ok(!bytes.includes(secret))
    const mac = Buffer.from(refresh_token.slice(4), 'base64url').subarray(21).toString('latin1')
    assert.ok(!bytes.includes(mac))
  })

  it('a wrapped value can only be unwrapped for the same field, and only if it is unchanged', () => {
    const { wrap, unwrap } = secretsOf([SECRET], (size) => Buffer.alloc(size, 7))
    const wrapped = wrap(Buffer.from('key'), 'sessions\0a\0hmac_key')
    assert.equal(unwrap(wrapped, 'sessions\0a\0hmac_key').toString(), 'key')
    assert.throws(() => unwrap(wrapped, 'sessions\0b\0hmac_key'))
    for (let i = 0; i < wrapped.length; i += 1) {
      const bent = Buffer.from(wrapped)
      bent.writeUInt8(bent.readUInt8(i) ^ 1, i)
      assert.throws(() => unwrap(bent, 'sessions\0a\0hmac_key'), `byte ${i}`)
    }
  })

  it('an onEvent that throws does not change the response; the error is logged', async () => {
    const onEvent = () => {
      throw new Error('the listener is broken')
    }
    await using server = await startAuth({ onEvent })
    assert.equal((await server.call('/register', { json: { email: EMAIL, password: PASSWORD } })).status, 201)
    assert.ok(server.lines.some(({ level, message }) => level === 'error' && message === 'onEvent threw'))
  })
})
