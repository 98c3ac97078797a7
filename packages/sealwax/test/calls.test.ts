import assert from 'node:assert/strict'
import { after, before, describe, it, mock } from 'node:test'
import { toNodeHandler } from '../src/http/node.ts'
import { AuthError, type AuthOptions, type AuthServer, createAuth } from '../src/index.ts'
import { postgresStore } from '../src/store/postgres/index.ts'
import { sqliteStore } from '../src/store/sqlite/index.ts'
import { PASSWORD, SECRET, standing } from './server.ts'

const options = { issuer: 'https://auth.example.com', audience: 'api', secret: SECRET }
let auth: AuthServer
before(async () => {
  auth = await createAuth({ ...options, store: sqliteStore(':memory:') })
  await auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
})
after(() => auth.close())

/** As code without types calls it. */
type Loose = Record<string, Record<string, (...given: unknown[]) => Promise<unknown>>>

const user = { email: 'bob@example.com', password: PASSWORD }
const CALLS: readonly [call: string, given: unknown[], sentence: string][] = [
  ['users.update', ['ann', { pasword: 'x' }], 'users.update has no option "pasword": write email or password'],
  ['users.update', ['ann'], 'users.update needs an object with the options email and password'],
  ['users.update', [undefined, {}], 'users.update needs id, a string'],
  ['users.create', [], 'users.create needs an object with the options email, password, id and roles'],
  ['users.create', [{ email: 'bob@example.com' }], 'users.create needs the option password, a string'],
  ['users.create', [{ ...user, email: 7 }], 'The option email of users.create must be a string'],
  ['users.create', [{ ...user, role: 'x' }], 'users.create has no option "role": write email, password, id or roles'],
  ['users.create', [{ ...user, roles: 'admin' }], 'The option roles of users.create must be a list of strings'],
  ['users.get', [], 'users.get needs id, a string'],
  ['users.find', [undefined], 'users.find needs email, a string'],
  ['users.list', [{ limit: '50' }], 'The option limit of users.list must be a whole number'],
  ['users.list', [{ offset: 5 }], 'users.list has no option "offset": write after or limit'],
  ['users.disable', [{ id: 'ann' }], 'users.disable needs id, a string'],
  [
    'sessions.create',
    [{ role: 'admin', subject: 'ann' }],
    'sessions.create has no option "role": write subject, roles, scope, claims, amr, remember, client or device',
  ],
  ['sessions.create', [{ subject: 'ann', claims: 'x' }], 'The option claims of sessions.create must be an object'],
  [
    'sessions.create',
    [{ subject: 'ann', remember: 'no' }],
    'The option remember of sessions.create must be true or false',
  ],
  [
    'sessions.create',
    [{ subject: 'ann', client: { ip: '192.0.2.1', useragent: 'x' } }],
    'client of sessions.create has no option "useragent": write ip, userAgent or by',
  ],
  ['sessions.refresh', [], 'sessions.refresh needs refreshToken, a string'],
  ['sessions.refresh', ['x', { agent: 'x' }], 'sessions.refresh has no option "agent": write ip, userAgent or device'],
  ['sessions.confirm', ['x', { device: 'x' }], 'sessions.confirm has no option "device": write ip or userAgent'],
  ['sessions.list', [], 'sessions.list needs subject, a string'],
  ['sessions.revoke', [], 'sessions.revoke needs id, a string'],
  ['sessions.revokeAll', ['ann', { exept: 'x' }], 'sessions.revokeAll has no option "exept": write except'],
  ['keys.revoke', ['x', { dryrun: true }], 'keys.revoke has no option "dryrun": write endSessions, all or dryRun'],
  ['keys.revoke', [], 'keys.revoke needs kid, a string'],
  ['clients.create', [{ name: 'x', scope: 'x' }], 'clients.create has no option "scope": write name or scopes'],
  ['clients.update', ['x', { scope: [] }], 'clients.update has no option "scope": write name or scopes'],
  ['clients.rotate', ['x', { overlapp: 0 }], 'clients.rotate has no option "overlapp": write overlap'],
  ['clients.list', [[]], 'clients.list needs an object with the options after and limit'],
  ['audit.list', [{ user: 'ann' }], 'audit.list has no option "user": write before, limit, subject or type'],
]

describe('a call of the application with a mistake in it', () => {
  for (const [call, given, sentence] of CALLS) {
    it(`${call}: ${sentence}`, async () => {
      const [group = '', name = ''] = call.split('.')
      await assert.rejects(async () => (auth as unknown as Loose)[group]?.[name]?.(...given), {
        code: 'validation_failed',
        detail: sentence,
      })
    })
  }

  it('changes nothing', async () => {
    await assert.rejects(auth.users.update('ann', { email: 'eve@example.com', pasword: 'x' } as object))
    assert.equal((await auth.users.get('ann'))?.email, 'ann@example.com')
  })

  it('no part of an auth server takes options that nobody has listed', () => {
    const groups = Object.entries(auth).filter(([, part]) => typeof part === 'object')
    assert.deepEqual(groups.map(([name]) => name).sort(), ['audit', 'clients', 'guard', 'keys', 'sessions', 'users'])
  })

  it('an option that is undefined is one that is left out', async () => {
    const { session } = await auth.sessions.create({ subject: 'bob', device: undefined })
    assert.equal((await auth.sessions.list('bob'))[0]?.id, session.id)
  })
})

/** What `createAuth` and its like say to somebody who begins. */
const BEGINNING: readonly [name: string, act: () => unknown, sentence: string][] = [
  [
    'createAuth()',
    () => createAuth(undefined as unknown as AuthOptions),
    'createAuth needs an options object with issuer, audience, secret and store',
  ],
  [
    'createAuth({})',
    () => createAuth({} as AuthOptions),
    "The option store is missing: write store: sqliteStore('./sealwax.db')",
  ],
  [
    'no issuer',
    () => createAuth({ store: sqliteStore(':memory:') } as unknown as AuthOptions),
    "The option issuer is missing: write issuer: 'https://auth.example.com'",
  ],
  [
    "store: './x.db'",
    () => createAuth({ ...options, store: './x.db' as never }),
    "store must be a store, not a string: write store: sqliteStore('./sealwax.db'), with the function from 'sealwax/sqlite'",
  ],
  [
    'store: a URL of Postgres, whose password is not repeated',
    () => createAuth({ ...options, store: 'postgres://ann:hunter2@db/x' as never }),
    "store must be a store, not a string: write store: postgresStore(url), with the function from 'sealwax/postgres'",
  ],
  [
    'an http issuer',
    () => createAuth({ ...options, issuer: 'http://auth.example.com', store: sqliteStore(':memory:') }),
    'issuer must be https (http is for loopback only): write https://auth.example.com instead of http://auth.example.com',
  ],
  [
    'a logger that is a function',
    () => createAuth({ ...options, logger: console.log as never, store: sqliteStore(':memory:') }),
    'logger must have the methods debug, info, warn and error, as pino has; missing: debug, info, warn, error',
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
    'toNodeHandler has no option "overrideGlobals": write overrideGlobalObjects',
  ],
  [
    'postgresStore()',
    () => postgresStore(undefined as unknown as string),
    'postgresStore needs a URL such as postgres://user@host/database',
  ],
  [
    'postgresStore with a mistyped option',
    () => postgresStore('postgres://localhost/x', { connection: 5 } as object),
    'postgresStore has no option "connection": write connections',
  ],
]

describe('the first mistakes', () => {
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
  it('is asked anew each time, so that fake timers expire a token', async () => {
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
