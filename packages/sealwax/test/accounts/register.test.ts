import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PASSWORD, type Reply, type Started, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'

function login({ call }: Started, email: string, password: string): Promise<Reply> {
  return call('/login', { json: { email, password } })
}

function register({ call }: Started, json: unknown): Promise<Reply> {
  return call('/register', { json })
}

describe('e-mail addresses', () => {
  it('every spelling of an address finds its user, and cannot be registered again', async () => {
    await using server = await startAuth()
    const { id, email } = await server.auth.users.create({ email: 'Ann.Lee+x@BÜCHER.example', password: PASSWORD })
    assert.equal(email, 'ann.lee+x@xn--bcher-kva.example')
    for (const spelling of [
      'ann.lee+x@bücher.example',
      'ANN.LEE+X@xn--BCHER-kva.Example',
      'ann.lee+x@bu\u0308cher.example',
    ]) {
      assert.equal((await server.auth.users.find(spelling))?.id, id, spelling)
      const taken = await register(server, { email: spelling, password: PASSWORD })
      assert.deepEqual([taken.status, taken.body.code], [409, 'email_taken'])
    }
    assert.equal((await login(server, 'ANN.lee+x@Bücher.EXAMPLE', PASSWORD)).body.user.id, id)
  })

  const bad = {
    'no at sign': 'ann',
    'no local part': '@example.com',
    'no domain': 'ann@',
    'two addresses': 'a@x.com,b@y.com',
    'two at signs': 'a@b@example.com',
    'dotless i': 'm\u0131ke@example.com',
    'Kelvin sign': '\u212Aate@example.com',
    ligature: '\uFB00@example.com',
    'Cyrillic a': '\u0430nn@example.com',
    'CRLF at the end': 'ann@example.com\r\n',
    'header injection': 'ann@example.com\r\nBcc: x@example.com',
    tab: 'ann@exam\tple.com',
    NUL: 'ann\u0000@example.com',
    'NUL in the domain': 'ann@example.com\u0000',
    'a space inside': 'ann @example.com',
    'only spaces': '  ',
    'a path': 'ann@example.com/x',
    'a port': 'ann@example.com:25',
    'a query': 'ann@example.com?x',
    'a fragment': 'ann@example.com#x',
    'a backslash': 'ann@example.com\\x',
    'an IP address': 'ann@127.0.0.1',
    'a number read as an IP address': 'ann@0x7f.1',
    'percent escapes': 'ann@ex%61mple.com',
    'a quoted local part': '"ann lee"@example.com',
    'a display name': 'Ann <ann@example.com>',
    'two dots': 'ann..lee@example.com',
    'a long local part': `${'a'.repeat(65)}@example.com`,
    'a long address': `ann@${'a.'.repeat(130)}com`,
    empty: '',
  }
  it('spaces around an address are removed at sign-up, at log-in and in calls of the application', async () => {
    await using server = await startAuth()
    const { status, body } = await register(server, { email: ' ann@example.com\t', password: PASSWORD })
    assert.deepEqual([status, body.user.email], [201, 'ann@example.com'])
    const again = await register(server, { email: 'ann@example.com ', password: PASSWORD })
    assert.deepEqual([again.status, again.body.code], [409, 'email_taken'])
    const { body: loggedIn } = await server.call('/login', {
      json: { email: '\u00a0 Ann@example.com ', password: PASSWORD },
    })
    assert.equal(loggedIn.user.id, body.user.id)
    assert.equal((await server.auth.users.find(' ann@example.com'))?.id, body.user.id)
    assert.equal(
      (await server.auth.users.create({ email: 'bob@example.com ', password: PASSWORD })).email,
      'bob@example.com',
    )
  })

  it('an invalid address is refused', async () => {
    await using server = await startAuth()
    for (const [name, email] of Object.entries(bad)) {
      const { status, body } = await register(server, { email, password: PASSWORD })
      assert.deepEqual([name, status, body.code], [name, 422, 'email_invalid'])
      await assert.rejects(server.auth.users.create({ email, password: PASSWORD }), { code: 'email_invalid' }, name)
    }
    const { status, body } = await register(server, { email: `${'a'.repeat(309)}@example.com`, password: PASSWORD })
    assert.deepEqual([status, body.code], [422, 'validation_failed'])
    assert.deepEqual(await server.auth.users.list(), [])
  })
})

describe('passwords', () => {
  it('must have 15 to 256 characters, counted in code points after composition', async () => {
    await using server = await startAuth()
    const emoji = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0x1f600 + i)).join('')
    const lengths: [password: string, outcome: string][] = [
      ['x'.repeat(14), 'password_too_short'],
      ['😀'.repeat(14), 'password_too_short'],
      ['e\u0301'.repeat(14), 'password_too_short'],
      ['kq vz wm xt bp ', 'created'],
      [emoji.repeat(2).slice(0, 30), 'created'],
      ['               ', 'password_too_common'],
      [emoji.repeat(8), 'created'],
      ['e\u0301u\u0301n\u0303c\u0327o\u0308a\u030aE\u0300I\u0302'.repeat(32), 'created'],
      ['x'.repeat(257), 'password_too_long'],
      ['😀'.repeat(257), 'password_too_long'],
    ]
    for (const [i, [password, outcome]] of lengths.entries()) {
      const email = `u${i}@example.com`
      const { status, body } = await register(server, { email, password })
      assert.deepEqual([i, status === 201 ? 'created' : body.code], [i, outcome])
      if (status === 201) assert.equal((await login(server, email, password)).status, 200, `login ${i}`)
      else assert.equal(status, 422)
    }
  })

  it('composed and decomposed spellings are the same password; compatibility forms, case and white space matter', async () => {
    await using server = await startAuth()
    await server.auth.users.create({ email: EMAIL, password: 'Caf\u00e9 with ﬁne croissants ' })
    const statuses = async (...passwords: string[]) => {
      const replies = await Promise.all(passwords.map((password) => login(server, EMAIL, password)))
      return replies.map(({ status }) => status)
    }
    assert.deepEqual(await statuses('Cafe\u0301 with ﬁne croissants '), [200])
    assert.deepEqual(
      await statuses(
        'Caf\u00e9 with fine croissants ',
        'caf\u00e9 with ﬁne croissants ',
        'Caf\u00e9 with ﬁne croissants',
      ),
      [401, 401, 401],
    )
  })
})

describe('register', () => {
  it('creates a user and a session', async () => {
    await using server = await startAuth()
    const { status, headers, body } = await register(server, { email: EMAIL, password: PASSWORD })
    assert.deepEqual([status, headers.get('Cache-Control'), body.user.roles], [201, 'no-store', []])
    assert.equal((await server.call('/me', { token: body.access_token })).body.user.id, body.user.id)
    assert.equal((await server.call('/refresh', { json: { refresh_token: body.refresh_token } })).status, 200)
    assert.deepEqual(
      server.events.map(({ type }) => type),
      ['key.created', 'key.created', 'key.activated', 'user.registered', 'session.created'],
    )
  })

  it('ten concurrent sign-ups of one address create one user', async () => {
    await using server = await startAuth()
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => register(server, { email: EMAIL, password: PASSWORD })),
    )
    const statuses = replies.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 201).length, 1)
    // Those after the free attempts are refused before the address is looked up.
    assert.deepEqual(new Set(statuses), new Set([201, 409, 429]))
    server.clock.advance(60_000)
    assert.equal((await register(server, { email: EMAIL, password: PASSWORD })).status, 409)
    const [user, ...others] = await server.auth.users.list()
    assert.equal(others.length, 0)
    assert.equal((await server.auth.sessions.list(user?.id ?? '')).length, 1)
  })

  it('closed: every sign-up gets the same refusal, and log-ins still work', async () => {
    await using server = await startAuth({ registration: 'closed' })
    await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    for (const email of [EMAIL, 'new@example.com']) {
      const { status, body } = await register(server, { email, password: PASSWORD })
      assert.deepEqual([status, body.code], [403, 'registration_disabled'])
    }
    assert.equal((await server.auth.users.list()).length, 1)
    assert.equal((await login(server, EMAIL, PASSWORD)).status, 200)
  })

  it('refuses body members that only an administrator may set', async () => {
    await using server = await startAuth()
    const credentials = { email: EMAIL, password: PASSWORD }
    const members = [
      'roles',
      'id',
      'emailVerified',
      'email_verified',
      'ver',
      'credential_version',
      'disabled_at',
      'password_hash',
      'constructor',
      'toString',
    ]
    const bodies = members.map((name) =>
      JSON.stringify({ ...credentials, [name]: name === 'roles' ? ['sealwax:admin'] : 1 }),
    )
    bodies.push(`{"email":"${EMAIL}","password":"${PASSWORD}","__proto__":{"roles":["sealwax:admin"]}}`)
    for (const body of bodies) {
      const reply = await server.call('/register', { body, headers: { 'Content-Type': 'application/json' } })
      assert.deepEqual([body, reply.status, reply.body.code], [body, 422, 'validation_failed'])
    }
    assert.deepEqual(await server.auth.users.list(), [])
  })
})
