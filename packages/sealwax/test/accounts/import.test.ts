import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AuditEvent, createAuth, type ImportRefusal, type ImportUser } from '../../src/index.ts'
import { SECRET } from '../server.ts'
import { STORES } from '../stores.ts'
import { HASHES } from './hashes.ts'

const BCRYPT = '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'
const user = (email: string, more: Partial<ImportUser> = {}) => ({ email, passwordHash: BCRYPT, ...more })

for (const [name, open] of Object.entries(STORES)) {
  describe(`users.import, ${name}`, () => {
    async function started() {
      const opened = await open()
      const events: AuditEvent[] = []
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: opened.store,
        onEvent: (event) => void events.push(event),
      })
      const refusals: ImportRefusal[] = []
      const onRefused = (refusal: ImportRefusal) => void refusals.push(refusal)
      return {
        ...{ auth, events, refusals, onRefused, store: opened.store, users: auth.users },
        imported: () => events.filter(({ type }) => type === 'users.imported').map(({ data }) => data),
        async [Symbol.asyncDispose]() {
          await auth.close()
          await opened[Symbol.asyncDispose]()
        },
      }
    }

    it('stores every member, and the user logs in with the old password', async () => {
      await using server = await started()
      const createdAt = new Date('2020-02-29T12:00:00Z')
      const full = { id: 'legacy-7', roles: ['teacher'], name: 'Ann', attributes: { plan: 'a' }, createdAt }
      const rows = [user('Ann@Example.com', { ...full, emailVerified: true }), user('bob@example.com')]
      assert.deepEqual(await server.users.import(rows), { created: 2, unchanged: 0, refused: 0 })
      assert.deepEqual(await server.users.get('legacy-7'), {
        ...{ ...full, email: 'ann@example.com', disabled: false, emailVerified: true },
      })
      const bob = await server.users.find('bob@example.com')
      assert.match(bob?.id ?? '', /^usr_/)
      assert.equal(bob?.emailVerified, false)
      const { user: ann } = await server.auth.login({ email: 'ann@example.com', password: 'correct horse' })
      assert.deepEqual(ann.roles, ['teacher'])
      assert.equal((await server.users.list({ role: 'teacher' })).length, 1, 'found by its role')
      assert.equal((await server.users.list({ query: 'ann' })).length, 1, 'found by its name')
      assert.deepEqual(server.imported(), [{ created: 2, unchanged: 0, refused: 0 }])
      assert.equal(
        server.events.some(({ type }) => type === 'user.created'),
        false,
      )
    })

    it('leaves users unchanged who exist, and refuses rows that contradict them', async () => {
      await using server = await started()
      await server.users.create({ id: 'a', email: 'ann@example.com', password: 'a long enough passphrase' })
      const before = await server.store.committed.users.byId('a')
      const rows = [
        user('ANN@example.com'),
        user('ann@example.com', { id: 'a' }),
        user('ann@example.com', { id: 'b' }),
        user('other@example.com', { id: 'a' }),
        user('new@example.com', { id: 'n' }),
        user('new@example.com', { name: 'again' }),
        user('new@example.com', { id: 'm' }),
        user('newer@example.com', { id: 'n' }),
      ]
      for (const dryRun of [true, false]) {
        const { refusals, onRefused } = server
        assert.deepEqual(await server.users.import(rows, { onRefused, dryRun }), {
          created: 1,
          unchanged: 3,
          refused: 4,
        })
        assert.deepEqual(
          refusals.splice(0).map(({ line, code }) => [line, code]),
          [
            [3, 'email_taken'],
            [4, 'id_taken'],
            [7, 'email_taken'],
            [8, 'id_taken'],
          ],
        )
        assert.equal((await server.users.list()).length, dryRun ? 1 : 2)
      }
      assert.deepEqual(await server.store.committed.users.byId('a'), before)
      assert.equal((await server.users.find('new@example.com'))?.name, undefined)
      assert.equal(server.imported().length, 1, 'a dry run is no event')
    })

    it('refuses an address that its former owner may still return to', async () => {
      await using server = await started()
      const now = Date.now()
      await server.store.transaction(({ oneTimeTokens }) =>
        oneTimeTokens.put({
          ...{ hash: 'h', purpose: 'undo-email-change', holder: 'a', email: 'ann@example.com', data: { subject: 'a' } },
          ...{ code: null, code_tries: 0, created_at: now, expires_at: now + 60_000 },
        }),
      )
      const { onRefused } = server
      const rows = [user('ann@example.com', { id: 'b' }), user('bob@example.com')]
      assert.deepEqual(await server.users.import(rows, { onRefused }), { created: 1, unchanged: 0, refused: 1 })
      assert.deepEqual(
        server.refusals.map(({ code }) => code),
        ['email_taken'],
      )
    })

    it('simultaneous imports of the same users store each once', async () => {
      await using server = await started()
      const rows = Array.from({ length: 1200 }, (_, i) => user(`u${i}@example.com`))
      const counts = await Promise.all([1, 2, 3].map(() => server.users.import(rows)))
      const sum = (of: 'created' | 'unchanged' | 'refused') => counts.reduce((all, one) => all + one[of], 0)
      assert.deepEqual([sum('created'), sum('unchanged'), sum('refused')], [1200, 2400, 0])
    })

    it('an error of the rows ends it; what was stored stays and is in the event', async () => {
      await using server = await started()
      async function* rows() {
        for (let i = 0; i < 700; i += 1) yield user(`u${i}@example.com`)
        throw new Error('the other database is away')
      }
      await assert.rejects(server.users.import(rows()), /the other database is away/)
      assert.deepEqual(server.imported(), [{ created: 500, unchanged: 0, refused: 0, interrupted: true }])
      const again = Array.from({ length: 700 }, (_, i) => user(`u${i}@example.com`))
      assert.deepEqual(await server.users.import(again), { created: 200, unchanged: 500, refused: 0 })
    })

    it('refuses each wrong row with a reason that contains nothing of it', async () => {
      await using server = await started()
      const { onRefused } = server
      const wrong: [unknown, code: string, detail: RegExp][] = [
        [null, 'validation_failed', /not an object/],
        [{ passwordHash: BCRYPT }, 'validation_failed', /no e-mail address/],
        [{ email: 'a@example.com' }, 'validation_failed', /no password hash/],
        [{ email: 'a@example.com', [BCRYPT]: 1 }, 'validation_failed', /no column of this name/],
        [user('a@example.com', { password: 'x' } as object), 'validation_failed', /no column "password"/],
        [user('a@example.com', { roles: 'admin' } as object), 'validation_failed', /roles must be a list/],
        [user('a@example.com', { roles: ['a b'] }), 'validation_failed', /roles must be/],
        [user('a@example.com', { id: 'a b' }), 'validation_failed', /id must be/],
        [user('a@example.com', { name: 'a\nb' }), 'validation_failed', /name must be/],
        [user('a@example.com', { attributes: [] as object as never }), 'attributes_invalid', /JSON object/],
        [user('a@example.com', { createdAt: new Date(Number.NaN) }), 'validation_failed', /createdAt must be/],
        [user('a@example.com', { createdAt: new Date('2999-01-01') }), 'validation_failed', /between 1970 and now/],
        [user('nobody'), 'email_invalid', /not an e-mail address/],
        [user('a@example.com', { passwordHash: `x${BCRYPT}` }), 'password_hash_invalid', /format .* unknown/],
        [user('a@example.com', { passwordHash: BCRYPT.replace('$04$', '$31$') }), 'password_hash_invalid', /cost/],
      ]
      const rows = wrong.map(([row]) => row) as ImportUser[]
      assert.deepEqual(await server.users.import(rows, { onRefused }), {
        created: 0,
        unchanged: 0,
        refused: wrong.length,
      })
      for (const [i, [, code, detail]] of wrong.entries()) {
        assert.deepEqual([server.refusals[i]?.line, server.refusals[i]?.code], [i + 1, code])
        assert.match(server.refusals[i]?.detail ?? '', detail)
      }
      assert.ok(!JSON.stringify([server.refusals, server.events]).includes(BCRYPT.slice(8)))
      assert.deepEqual(await server.users.list(), [])
    })

    it('accepts a hash of every other system', async () => {
      await using server = await started()
      const rows = HASHES.map(([, , , passwordHash], i) => ({ email: `u${i}@example.com`, passwordHash }))
      assert.deepEqual(await server.users.import(rows), { created: rows.length, unchanged: 0, refused: 0 })
    })

    it('refuses wrong arguments', async () => {
      await using server = await started()
      const call = server.users.import as (...given: unknown[]) => Promise<unknown>
      for (const given of [[], [7], ['text'], [{}], [[], { batch: 1 }], [[], { onRefused: 1 }], [[], { dryRun: 1 }]]) {
        await assert.rejects(call(...given), { code: 'validation_failed' }, JSON.stringify(given))
      }
    })
  })
}
