import assert from 'node:assert/strict'
import { after, before, describe, it, mock } from 'node:test'
import { toNodeHandler } from '../../src/http/node.ts'
import { AuthError, type AuthOptions, type AuthServer, createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { PASSWORD, SECRET, standing } from '../server.ts'

const options = { issuer: 'https://auth.example.com', audience: 'api', secret: SECRET }
let auth: AuthServer
before(async () => {
  auth = await createAuth({ ...options, store: sqliteStore(':memory:') })
  await auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
})
after(() => auth.close())

/** The API of an auth server, without types. */
type Loose = Record<string, Record<string, (...given: unknown[]) => Promise<unknown>>>

const user = { email: 'bob@example.com', password: PASSWORD }
const CALLS: readonly [call: string, given: unknown[], sentence: string][] = [
  [
    'users.update',
    ['ann', { pasword: 'x' }],
    'users.update: there is no option "pasword"; write email, password, name, attributes or emailVerified',
  ],
  [
    'users.update',
    ['ann'],
    'users.update: change must be an object with email, password, name, attributes and emailVerified (got undefined)',
  ],
  ['users.update', [undefined, {}], 'users.update: id must be a string (got undefined)'],
  [
    'users.create',
    [],
    'users.create: user must be an object with email, password, passwordHash, id, roles, name, attributes and emailVerified (got undefined)',
  ],
  ['users.create', [{ email: 'bob@example.com' }], 'users.create: give either password or passwordHash'],
  ['users.create', [{ ...user, email: 7 }], 'users.create: email must be a string (got 7)'],
  [
    'users.create',
    [{ ...user, role: 'x' }],
    'users.create: there is no option "role"; write email, password, passwordHash, id, roles, name, attributes or emailVerified',
  ],
  ['users.create', [{ ...user, roles: 'admin' }], 'users.create: roles must be a list of strings (got a string)'],
  ['users.get', [], 'users.get: id must be a string (got undefined)'],
  ['users.find', [undefined], 'users.find: email must be a string (got undefined)'],
  ['users.list', [{ limit: '50' }], 'users.list: limit must be a whole number (got a string)'],
  [
    'users.list',
    [{ offset: 5 }],
    'users.list: there is no option "offset"; write query, role, disabled, emailVerified, after or limit',
  ],
  ['users.update', ['ann', { name: 7 }], 'users.update: name must be a string or null (got 7)'],
  ['users.setPassword', ['ann'], 'users.setPassword: password must be a string (got undefined)'],
  ['auth.login', [{ email: 'ann@example.com' }], 'auth.login: password must be a string (got undefined)'],
  ['auth.login', [{ ...user, device: 'a b' }], 'device must be 1 to 128 visible ASCII characters'],
  ['auth.login', [user, { agent: 'x' }], 'auth.login: there is no option "agent"; write ip, userAgent or by'],
  [
    'auth.verifyPassword',
    [{ ...user, remember: true }],
    'auth.verifyPassword: there is no option "remember"; write email, password or deviceToken',
  ],
  ['users.disable', [{ id: 'ann' }], 'users.disable: id must be a string (got an object)'],
  [
    'sessions.create',
    [{ role: 'admin', subject: 'ann' }],
    'sessions.create: there is no option "role"; write subject, roles, scope, claims, amr, remember, accessTtl, client, device or jkt',
  ],
  ['sessions.create', [{ subject: 'ann', claims: 'x' }], 'sessions.create: claims must be an object (got a string)'],
  [
    'sessions.create',
    [{ subject: 'ann', remember: 'no' }],
    'sessions.create: remember must be true or false (got a string)',
  ],
  [
    'sessions.create',
    [{ subject: 'ann', client: { ip: '192.0.2.1', useragent: 'x' } }],
    'sessions.create: there is no option "useragent"; write ip, userAgent or by',
  ],
  ['sessions.refresh', [], 'sessions.refresh: refreshToken must be a string (got undefined)'],
  [
    'sessions.refresh',
    ['x', { agent: 'x' }],
    'sessions.refresh: there is no option "agent"; write ip, userAgent, device or jkt',
  ],
  ['sessions.confirm', [7], 'sessions.confirm: refreshToken must be a string (got 7)'],
  ['sessions.list', [], 'sessions.list: subject must be a string (got undefined)'],
  ['tokens.revoke', [], 'tokens.revoke: jti must be a string (got undefined)'],
  ['sessions.revoke', [], 'sessions.revoke: id must be a string (got undefined)'],
  ['sessions.revokeAll', ['ann', { exept: 'x' }], 'sessions.revokeAll: there is no option "exept"; write except'],
  [
    'keys.revoke',
    ['x', { dryrun: true }],
    'keys.revoke: there is no option "dryrun"; write endSessions, all or dryRun',
  ],
  ['keys.revoke', [], 'keys.revoke: kid must be a string (got undefined)'],
  ['clients.create', [{ name: 'x', scope: 'x' }], 'clients.create: there is no option "scope"; write name or scopes'],
  ['clients.update', ['x', { scope: [] }], 'clients.update: there is no option "scope"; write name or scopes'],
  ['clients.rotate', ['x', { overlapp: 0 }], 'clients.rotate: there is no option "overlapp"; write overlap'],
  ['clients.list', [[]], 'clients.list: page must be an object with after and limit (got an empty list)'],
  ['audit.list', [{ user: 'ann' }], 'audit.list: there is no option "user"; write before, limit, subject or type'],
]

describe('a call with a wrong argument', () => {
  for (const [call, given, sentence] of CALLS) {
    it(`${call}: ${sentence}`, async () => {
      const [group = '', name = ''] = call.split('.')
      const calls = group === 'auth' ? (auth as unknown as Loose[string]) : (auth as unknown as Loose)[group]
      await assert.rejects(async () => calls?.[name]?.(...given), {
        code: 'validation_failed',
        detail: sentence,
      })
    })
  }

  it('changes nothing', async () => {
    await assert.rejects(auth.users.update('ann', { email: 'eve@example.com', pasword: 'x' } as object))
    assert.equal((await auth.users.get('ann'))?.email, 'ann@example.com')
  })

  it('an auth server has exactly these groups of calls', () => {
    const groups = Object.entries(auth).filter(([, part]) => typeof part === 'object')
    const names = groups.map(([name]) => name)
    assert.deepEqual(names.sort(), ['audit', 'clients', 'guard', 'keys', 'mail', 'sessions', 'tokens', 'users'])
  })

  it('an option that is undefined counts as left out', async () => {
    const { session } = await auth.sessions.create({ subject: 'bob', device: undefined })
    assert.equal((await auth.sessions.list('bob'))[0]?.id, session.id)
  })
})

/** Messages about typical first mistakes. */
const BEGINNING: readonly [name: string, act: () => unknown, sentence: string][] = [
  [
    'createAuth()',
    () => createAuth(undefined as unknown as AuthOptions),
    'createAuth: options must be an object with issuer, audience, secret and store (got undefined)',
  ],
  [
    'createAuth({})',
    () => createAuth({} as AuthOptions),
    "createAuth: issuer must be given: write issuer: 'https://auth.example.com'",
  ],
  [
    'no store',
    () => createAuth(options as AuthOptions),
    "createAuth: store must be given: write store: sqliteStore('./sealwax.db')",
  ],
  [
    "store: './x.db'",
    () => createAuth({ ...options, store: './x.db' as never }),
    "createAuth: store must be a store such as sqliteStore('./sealwax.db') from 'sealwax/sqlite' (got a string)",
  ],
  [
    'store: a URL of Postgres, whose password is not repeated',
    () => createAuth({ ...options, store: 'postgres://ann:hunter2@db/x' as never }),
    "createAuth: store must be a store such as postgresStore(url) from 'sealwax/postgres' (got a string)",
  ],
  [
    'an http issuer',
    () => createAuth({ ...options, issuer: 'http://auth.example.com', store: sqliteStore(':memory:') }),
    'createAuth: issuer must be https, or http on loopback: write https://auth.example.com (got "http://auth.example.com")',
  ],
  [
    'a logger that is a function',
    () => createAuth({ ...options, logger: console.log as never, store: sqliteStore(':memory:') }),
    'createAuth: logger must have the methods debug, info, warn and error, as pino does (got a function)',
  ],
  [
    'toNodeHandler(createAuth(…)) without await',
    () => toNodeHandler(Promise.resolve(auth) as never),
    'toNodeHandler got a promise, which is what createAuth returns: write toNodeHandler(await createAuth(options))',
  ],
  [
    'toNodeHandler()',
    () => toNodeHandler(undefined as never),
    'toNodeHandler needs an auth server: write toNodeHandler(await createAuth(options))',
  ],
  [
    'toNodeHandler with a mistyped option',
    () => toNodeHandler(auth, { overrideGlobals: true } as object),
    'toNodeHandler: there is no option "overrideGlobals"; write overrideGlobalObjects',
  ],
  [
    'postgresStore()',
    () => postgresStore(undefined as unknown as string),
    'postgresStore needs a URL such as postgres://user@host/database',
  ],
  [
    'postgresStore with a mistyped option',
    () => postgresStore('postgres://localhost/x', { connection: 5 } as object),
    'postgresStore: there is no option "connection"; write connections',
  ],
]

describe('typical first mistakes get a helpful message', () => {
  for (const [name, act, sentence] of BEGINNING) {
    it(name, async () => {
      await assert.rejects(
        async () => act(),
        (error) => {
          assert.ok(error instanceof AuthError)
          assert.deepEqual([error.code, error.detail], ['config_invalid', sentence])
          return true
        },
      )
    })
  }
})

describe('the clock', () => {
  it('is read each time, so that fake timers expire a token', async () => {
    const { access_token } = await auth.sessions.create({ subject: 'ann' })
    assert.equal(await standing(auth, access_token), 'accepted')
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
    try {
      assert.equal(await standing(auth, access_token), 'token_expired')
      const later = await auth.sessions.create({ subject: 'ann' })
      assert.equal(await standing(auth, later.access_token), 'accepted')
    } finally {
      mock.timers.reset()
    }
  })
})
