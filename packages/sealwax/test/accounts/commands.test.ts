import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { adminUserDetails } from '../../src/accounts/schemas.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { call, listen, PASSWORD, SECRET, standing, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const NEW_PASSWORD = 'quite another passphrase'

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `sealwax users …` on a database that other processes may have open. */
async function users(databaseUrl: string, args: readonly string[], stdin = '', settings = {}): Promise<Run> {
  const env = {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: 'http://127.0.0.1:5000',
    SEALWAX_AUDIENCE: 'api',
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: databaseUrl,
    ...settings,
  }
  const child = spawn(process.execPath, [BIN, 'users', ...args], { env })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  child.stdin.end(stdin)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...output }
}

/** Runs a command that must succeed. Returns the JSON lines that it printed. */
async function printed(databaseUrl: string, args: readonly string[], stdin = '', settings = {}) {
  const { code, stdout, stderr } = await users(databaseUrl, args, stdin, settings)
  assert.deepEqual([code, stderr], [0, ''], args.join(' '))
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

let postgres: Promise<PostgresServer> | undefined
const directory = tempDir()
after(async () => {
  directory[Symbol.dispose]()
  await (await postgres)?.remove()
})

/** Creates the database of a test and returns its URL. */
const DATABASES: Readonly<Record<string, (name: string) => Promise<string>>> = {
  sqlite: async (name) => `sqlite:${join(directory.path, `${name}.db`)}`,
  async postgres() {
    postgres ??= startPostgres()
    return (await postgres).createDatabase()
  },
}

/** A running server on a database. It follows the store as any other process does. */
async function running(url: string) {
  const store = url.startsWith('sqlite:') ? sqliteStore(url.slice('sqlite:'.length)) : postgresStore(url)
  const auth = await createAuth({ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store })
  const server = await listen(toNodeHandler(auth))
  return {
    auth,
    login: (email: string, password: string) => call(server.url, '/login', { json: { email, password } }),
    call: (path: string, token: string) => call(server.url, path, { token }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await auth.close()
    },
  }
}

/** Checks that the guard of a running server refuses a token within a second. */
async function assertRefused(auth: AuthServer, token: string): Promise<void> {
  const started = performance.now()
  while ((await standing(auth, token)) === 'accepted' && performance.now() - started < 1000)
    await new Promise((done) => setTimeout(done, 10))
  assert.equal(await standing(auth, token), 'token_revoked')
}

for (const [kind, databaseOf] of Object.entries(DATABASES)) {
  describe(`cli: users, next to a running server, on ${kind}`, () => {
    it('each command ends the tokens of a compromised account within a second', async () => {
      const url = await databaseOf('acts')
      await using server = await running(url)
      const { auth, login } = server
      const email = 'ann@example.com'
      await printed(url, ['create', '--email', email, '--id', 'ann'], `${PASSWORD}\n`)
      const thief = async (password = PASSWORD) => (await login(email, password)).body.access_token

      let token = await thief()
      assert.equal(await standing(auth, token), 'accepted')
      const [disabled] = await printed(url, ['disable', 'Ann@Example.com'])
      assert.deepEqual([disabled.id, disabled.disabled], ['ann', true])
      await assertRefused(auth, token)
      assert.deepEqual([(await login(email, PASSWORD)).body.code], ['user_disabled'])
      assert.equal((await printed(url, ['enable', 'ann']))[0].disabled, false)

      token = await thief()
      const [changed] = await printed(url, ['set-password', email], `${NEW_PASSWORD}\n`)
      assert.deepEqual(Object.keys(changed), [
        'id',
        'email',
        'email_verified',
        'name',
        'attributes',
        'roles',
        'created_at',
        'disabled',
      ])
      await assertRefused(auth, token)
      assert.equal((await login(email, PASSWORD)).status, 401)

      const tokens = [await thief(NEW_PASSWORD), await thief(NEW_PASSWORD)]
      const sessions = await printed(url, ['sessions', email])
      const listed = (await auth.sessions.list('ann')).map(({ id, createdAt }) => [id, createdAt.toISOString()])
      assert.deepEqual(
        sessions.map(({ id, created_at }) => [id, created_at]),
        listed,
      )
      assert.equal(sessions.length, 2)
      for (const each of tokens) assert.equal(await standing(auth, each), 'accepted', 'listing ends no session')
      const ended = await users(url, ['sessions', 'ann', '--end'])
      assert.deepEqual(ended, { code: 0, stdout: 'Sessions ended: 2\n', stderr: '' })
      for (const each of tokens) await assertRefused(auth, each)
      assert.deepEqual(await printed(url, ['sessions', 'ann']), [])

      token = await thief(NEW_PASSWORD)
      assert.deepEqual(await users(url, ['delete', email]), { code: 0, stdout: '', stderr: '' })
      await assertRefused(auth, token)
      assert.equal((await login(email, NEW_PASSWORD)).status, 401)
      assert.deepEqual(await auth.users.list(), [])
    })
  })
}

describe('cli: users', () => {
  it('--admin adds the admin role, with the name from SEALWAX_ADMIN_ROLE', async () => {
    const url = (await DATABASES.sqlite?.('admin')) as string
    await using server = await running(url)
    const [root] = await printed(url, ['create', '--email', 'root@example.com', '--admin', '--role', 'staff'], PASSWORD)
    assert.deepEqual(root.roles, ['staff', 'sealwax:admin'])
    const { access_token } = (await server.login('root@example.com', PASSWORD)).body
    assert.equal((await server.call('/admin/keys', access_token)).status, 200)
    const named = { SEALWAX_ADMIN_ROLE: 'ops' }
    const [other] = await printed(url, ['create', '--email', 'ops@example.com', '--admin'], PASSWORD, named)
    assert.deepEqual(other.roles, ['ops'])
    const refused = await users(url, ['list'], '', { SEALWAX_ADMIN_ROLE: 'a b' })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /SEALWAX_ADMIN_ROLE: adminRole must be/)
  })

  it('show prints what the API returns, also where names are data', async () => {
    const url = (await DATABASES.sqlite?.('shown')) as string
    await using server = await running(url)
    const attributes = { favouriteColour: 'red' }
    await server.auth.users.create({ id: 'Eve-K', email: 'eve@example.com', password: PASSWORD, attributes })
    for (const wrong of ['wrong', 'wrong again']) await server.login('eve@example.com', wrong)
    await server.login('eve@example.com', PASSWORD)
    const { access_token: token } = await server.auth.sessions.create({ subject: 'boss', roles: ['sealwax:admin'] })
    const body = adminUserDetails.parse((await server.call('/admin/users/Eve-K', token)).body)
    assert.ok(body.events.some(({ repeats }) => repeats && 'Eve-K' in repeats.subjects))
    assert.deepEqual((await printed(url, ['show', 'Eve-K']))[0], body)
    const sessions = body.sessions.map((session) => ({ subject: 'Eve-K', ...session }))
    assert.deepEqual(await printed(url, ['sessions', 'Eve-K']), sessions)
    assert.deepEqual((await printed(url, ['list']))[0], body.user)
  })

  it('show, update, set-roles and list with filters read and change users', async () => {
    const url = (await DATABASES.sqlite?.('profile')) as string
    await using server = await running(url)
    const { auth } = server
    await auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
    await auth.users.create({ id: 'bob', email: 'bob@example.com', password: PASSWORD, emailVerified: false })
    const [updated] = await printed(url, ['update', 'ann', '--email', 'Zoe@example.com', '--name', 'Zoe'])
    assert.deepEqual([updated.id, updated.email, updated.name], ['ann', 'zoe@example.com', 'Zoe'])
    assert.equal((await printed(url, ['update', 'ann', '--name', '']))[0].name, null)
    assert.equal((await users(url, ['update', 'ann'])).code, 1)
    assert.deepEqual((await printed(url, ['set-roles', 'ann', '--role', 'a', '--role', 'b']))[0].roles, ['a', 'b'])
    assert.equal((await users(url, ['set-roles', 'ann'])).code, 1)
    assert.deepEqual((await auth.users.get('ann'))?.roles, ['a', 'b'])
    await auth.sessions.create({ subject: 'ann' })
    const [shown] = await printed(url, ['show', 'zoe@example.com'])
    assert.deepEqual([shown.user.id, shown.sessions.length, shown.events[0].type], ['ann', 1, 'session.created'])
    const ids = async (args: string[]) => (await printed(url, ['list', ...args])).map(({ id }) => id)
    assert.deepEqual(await ids([]), ['ann', 'bob'])
    assert.deepEqual(await ids(['--query', 'BO']), ['bob'])
    assert.deepEqual(await ids(['--role', 'a']), ['ann'])
    assert.deepEqual(await ids(['--unverified']), ['bob'])
    assert.deepEqual(await ids(['--disabled']), [])
    assert.deepEqual((await printed(url, ['set-roles', 'ann', '--none']))[0].roles, [])
  })

  it('an unknown user is reported in one sentence, and a password that is too short changes nothing', async () => {
    const url = (await DATABASES.sqlite?.('nobody')) as string
    await using server = await running(url)
    await server.auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    const stderr = 'sealwax: There is no user with this id or e-mail address (not_found)\n'
    const commands = [
      ['disable', 'nobody'],
      ['enable', 'nobody@example.com'],
      ['delete', "' or 1=1"],
      ['set-password', 'Ann'],
      ['sessions', 'nobody@example.com'],
      ['sessions', 'nobody', '--end'],
    ]
    for (const command of commands) {
      assert.deepEqual(await users(url, command, NEW_PASSWORD), { code: 1, stdout: '', stderr })
    }
    for (const short of ['\n', 'short\n']) {
      const refused = await users(url, ['set-password', 'ann'], short)
      assert.deepEqual([refused.code, refused.stdout], [1, ''])
      assert.match(refused.stderr, /^sealwax: .+ \(password_too_short\)\n$/)
    }
    const missing = await users(url, ['disable'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /missing required argument 'user'/)
    await server.auth.sessions.refresh(refresh_token)
  })

  it('an id that is also the address of another user is refused as ambiguous, and no user is changed', async () => {
    const url = (await DATABASES.sqlite?.('ambiguous')) as string
    await using server = await running(url)
    const { auth } = server
    const victim = await auth.users.create({ id: 'bob@example.com', email: 'bob@new.example', password: PASSWORD })
    const stranger = await auth.users.create({ email: 'bob@example.com', password: PASSWORD })
    for (const command of ['delete', 'sessions']) {
      const refused = await users(url, [command, 'bob@example.com'], NEW_PASSWORD)
      assert.deepEqual([refused.code, refused.stdout], [1, ''])
      assert.ok(refused.stderr.includes(victim.email) && refused.stderr.includes(stranger.id), refused.stderr)
    }
    assert.deepEqual([await auth.users.get(victim.id), await auth.users.get(stranger.id)], [victim, stranger])
    assert.equal((await printed(url, ['disable', 'bob@new.example']))[0].id, victim.id)
    assert.equal((await printed(url, ['disable', stranger.id]))[0].id, stranger.id)
  })

  it('sessions of own users of the application are also listed and ended', async () => {
    const url = (await DATABASES.sqlite?.('own')) as string
    await using server = await running(url)
    const { access_token } = await server.auth.sessions.create({ subject: 'emp-1', roles: ['staff'] })
    assert.equal((await printed(url, ['sessions', 'emp-1']))[0].subject, 'emp-1')
    assert.equal((await users(url, ['sessions', 'emp-1', '--end'])).stdout, 'Sessions ended: 1\n')
    await assertRefused(server.auth, access_token)
    assert.equal((await users(url, ['sessions', 'emp-1'])).code, 1)
  })

  it('a subject that is also the address of a registered user is refused as ambiguous, and no session ends', async () => {
    const url = (await DATABASES.sqlite?.('own-address')) as string
    await using server = await running(url)
    const { access_token } = await server.auth.sessions.create({ subject: 'bob@example.com' })
    const stranger = await server.auth.users.create({ email: 'bob@example.com', password: PASSWORD })
    const refused = await users(url, ['sessions', 'bob@example.com', '--end'])
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.ok(refused.stderr.includes(stranger.id), refused.stderr)
    assert.equal(await standing(server.auth, access_token), 'accepted')
  })

  it('a command with a different issuer than the servers is refused, since no guard would notice its revocations', async () => {
    const url = (await DATABASES.sqlite?.('issuer')) as string
    await using server = await running(url)
    await server.auth.sessions.create({ subject: 'emp-1' })
    const refused = await users(url, ['sessions', 'emp-1', '--end'], '', { SEALWAX_ISSUER: 'http://127.0.0.1:5000/' })
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /the issuer http:\/\/127.0.0.1:5000, this command has http:\/\/127.0.0.1:5000\/: /)
    assert.equal((await server.auth.sessions.list('emp-1')).length, 1)
  })
})
