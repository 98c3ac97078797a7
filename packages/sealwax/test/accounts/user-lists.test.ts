import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAuth } from '../../src/index.ts'
import { SECRET } from '../server.ts'
import { STORES, user } from '../stores.ts'

const NAMES: readonly [id: string, email: string, name: string | null][] = [
  ['1', 'zoe@example.com', 'Ann Baker'],
  ['2', 'ann@example.com', null],
  ['3', 'anna@example.com', 'Anna'],
  ['4', 'x@example.com', 'ANN Young'],
  ['5', 'y@example.com', 'Ａｎｎ Ｚｏｅ'],
  ['6', 'b@example.com', 'Élodie'],
  ['7', 'c@xn--bcher-kva.example', 'Mann'],
  ['8', 'an_n@example.com', '100%_x'],
]

for (const [kind, open] of Object.entries(STORES)) {
  describe(`lists of users: ${kind}`, () => {
    async function opened() {
      const stored = await open()
      await stored.store.transaction(async ({ users }) => {
        for (const [id, email, name] of NAMES) await users.insert(user(id, { email, name, roles: [] }))
      })
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: stored.store,
      })
      const ids = async (page: Parameters<typeof auth.users.list>[0]) =>
        (await auth.users.list(page)).map(({ id }) => id)
      return { auth, ids, [Symbol.asyncDispose]: () => auth.close() }
    }

    it('a query finds prefixes of addresses, then of names, in any case and width, each user once', async () => {
      await using open = await opened()
      const { ids } = open
      assert.deepEqual(await ids({ query: 'ann' }), ['2', '3', '1', '4', '5'])
      assert.deepEqual(await ids({ query: ' ANN ' }), ['2', '3', '1', '4', '5'])
      assert.deepEqual(await ids({ query: 'ann b' }), ['1'])
      assert.deepEqual(await ids({ query: 'e\u0301LO' }), ['6'])
      assert.deepEqual(await ids({ query: 'C@Bücher.example' }), ['7'])
      for (const wildcard of ['%', '_', 'an%', '1__%']) assert.deepEqual(await ids({ query: wildcard }), [], wildcard)
      assert.deepEqual(await ids({ query: 'an_' }), ['8'])
      assert.deepEqual(await ids({ query: '100%_' }), ['8'])
    })

    it('pages of a query end and begin anywhere, and together contain every match once', async () => {
      await using open = await opened()
      for (const limit of [1, 2, 3, 5]) {
        const found: string[] = []
        for (let page = await open.ids({ query: 'ann', limit }); page.length > 0; ) {
          found.push(...page)
          page = await open.ids({ query: 'ann', limit, after: page.at(-1) as string })
        }
        assert.deepEqual(found, ['2', '3', '1', '4', '5'], `limit ${limit}`)
      }
      await assert.rejects(open.ids({ query: 'ann', after: 'nobody' }), { code: 'validation_failed' })
    })

    it('filters by role, disabled and verified, also together and with a query', async () => {
      await using open = await opened()
      const { auth, ids } = open
      for (const id of ['1', '2', '5']) await auth.users.setRoles(id, ['teacher', 'x'])
      await auth.users.setRoles('5', ['x'])
      await auth.users.disable('2')
      await auth.users.update('1', { emailVerified: true })
      assert.deepEqual(await ids({ role: 'teacher' }), ['1', '2'])
      assert.deepEqual(await ids({ role: 'x', after: '1' }), ['2', '5'])
      assert.deepEqual(await ids({ role: 'teach' }), [])
      assert.deepEqual(await ids({ disabled: true }), ['2'])
      assert.deepEqual(await ids({ disabled: false, role: 'teacher' }), ['1'])
      assert.deepEqual(await ids({ disabled: true, role: 'x' }), ['2'])
      assert.deepEqual(await ids({ emailVerified: true }), ['1'])
      assert.deepEqual(await ids({ emailVerified: false, role: 'x' }), ['2', '5'])
      assert.deepEqual(await ids({ query: 'ann', role: 'teacher' }), ['2', '1'])
      assert.deepEqual(await ids({ query: 'ann', disabled: false, emailVerified: false }), ['3', '4', '5'])
      await auth.users.delete('1')
      assert.deepEqual(await ids({ role: 'teacher' }), ['2'])
      assert.deepEqual(await ids({ query: 'ann', role: 'teacher' }), ['2'])
    })

    it('a changed name is found at once, a removed one no longer', async () => {
      await using open = await opened()
      const { auth, ids } = open
      await auth.users.update('1', { name: 'Quentin' })
      assert.deepEqual([await ids({ query: 'quen' }), await ids({ query: 'ann b' })], [['1'], []])
      await auth.users.update('1', { name: null })
      assert.deepEqual(await ids({ query: 'quen' }), [])
    })

    it('create and update store name, attributes and whether the address is verified', async () => {
      await using open = await opened()
      const { auth } = open
      const password = 'correct horse battery staple'
      const made = await auth.users.create({ email: 'n@example.com', password, name: 'N', attributes: { a: { b: 1 } } })
      assert.deepEqual([made.name, made.attributes, made.emailVerified], ['N', { a: { b: 1 } }, true])
      const { id } = made
      const changed = await auth.users.update(id, { attributes: { a: null, c: 1 }, emailVerified: false })
      assert.deepEqual([changed.attributes, changed.emailVerified], [{ c: 1 }, false])
      assert.equal((await auth.users.update(id, { email: 'm@example.com' })).emailVerified, true)
      assert.deepEqual((await auth.users.update(id, { name: null, attributes: null })).attributes, {})
      const unverified = await auth.users.create({ email: 'o@example.com', password, emailVerified: false })
      assert.equal(unverified.emailVerified, false)
      for (const attributes of [{ at: new Date(0) }, { f: () => 1 }, { n: Number.NaN }, { u: undefined }]) {
        await assert.rejects(auth.users.update(id, { attributes }), { code: 'attributes_invalid' })
      }
      const session = await auth.sessions.create({ subject: id })
      await auth.users.setPassword(id, 'quite another passphrase')
      await assert.rejects(auth.sessions.refresh(session.refresh_token as string), { code: 'invalid_grant' })
      assert.ok(await auth.verifyPassword({ email: 'm@example.com', password: 'quite another passphrase' }))
    })
  })
}
