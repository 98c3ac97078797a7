import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hash } from '@node-rs/argon2'
import { createAuth } from '../../src/index.ts'
import { HOUR, PASSWORD, SECRET, startAuth } from '../server.ts'
import { STORES } from '../stores.ts'
import { HASHES } from './hashes.ts'

const CURRENT = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/
/** `correct horse` at a low cost, so that many log-ins are quick. */
const BCRYPT = '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'
const EMAIL = 'ann@example.com'

describe('users.create with passwordHash', () => {
  it('stores the hash, and the first log-in upgrades it', async () => {
    await using server = await startAuth()
    const login = (email: string, password: string) => server.call('/login', { json: { email, password } })
    for (const [i, [name, , password, passwordHash]] of HASHES.entries()) {
      const email = `u${i}@example.com`
      await server.auth.users.create({ email, passwordHash })
      assert.equal((await login(email, `${password}?`)).status, 401, name)
      assert.equal((await login(email, password)).status, 200, name)
      assert.equal((await login(email, `${password}?`)).status, 401, `${name}, upgraded`)
      assert.equal((await login(email, password)).status, 200, `${name}, upgraded`)
      server.clock.advance(HOUR)
    }
  })

  it('needs either a password or a hash that can be used', async () => {
    await using server = await startAuth()
    const create = (given: object) => server.auth.users.create({ email: EMAIL, ...given })
    await assert.rejects(create({}), { code: 'validation_failed', message: /either password or passwordHash/ })
    const both = { password: PASSWORD, passwordHash: BCRYPT }
    await assert.rejects(create(both), { code: 'validation_failed', message: /either password or passwordHash/ })
    await assert.rejects(create({ passwordHash: 7 }), { code: 'validation_failed' })
    await assert.rejects(create({ passwordHash: 'sha256$x$y' }), { code: 'password_hash_invalid' })
    const sneaky = { json: { email: EMAIL, password: PASSWORD, passwordHash: BCRYPT } }
    assert.equal((await server.call('/register', sneaky)).body.code, 'validation_failed')
    assert.equal(await server.auth.users.find(EMAIL), undefined)
  })

  it('matches what was typed, and its NFC form, until the upgrade', async () => {
    await using server = await startAuth()
    const decomposed = 'cafe\u0301 con leche'
    for (const [i, hashed] of [decomposed, decomposed.normalize('NFC')].entries()) {
      const email = `u${i}@example.com`
      await server.auth.users.create({ email, passwordHash: await hash(hashed, { memoryCost: 1024 }) })
      for (const password of [decomposed, decomposed.normalize('NFC')]) {
        assert.equal((await server.call('/login', { json: { email, password } })).status, 200)
      }
    }
  })
})

for (const [name, open] of Object.entries(STORES)) {
  describe(`upgrade of a password hash, ${name}`, () => {
    async function started() {
      const opened = await open()
      const auth = await createAuth({
        issuer: 'http://127.0.0.1:5000',
        audience: 'api',
        secret: SECRET,
        store: opened.store,
      })
      let networks = 0
      // Each from another network, so that none is throttled.
      const login = async (password: string, email = EMAIL) => {
        networks += 1
        const refused = (error: { status: number }) => error.status
        return auth.login({ email, password }, { ip: `198.51.${networks}.1` }).then(() => 200, refused)
      }
      const stored = async () => (await opened.store.committed.users.byEmail(EMAIL))?.password_hash as string
      return {
        ...{ auth, login, stored, store: opened.store },
        async [Symbol.asyncDispose]() {
          await auth.close()
          await opened[Symbol.asyncDispose]()
        },
      }
    }

    it('happens at the first log-in with the right password, and ends no session', async () => {
      await using server = await started()
      const { id } = await server.auth.users.create({ email: EMAIL, passwordHash: BCRYPT })
      const tokens = await server.auth.sessions.create({ subject: id, amr: ['pwd'] })
      const before = await server.store.committed.users.byId(id)
      assert.equal(await server.login('wrong horse'), 401)
      assert.equal(await server.stored(), BCRYPT)
      assert.equal(await server.login('correct horse'), 200)
      const upgraded = await server.stored()
      assert.match(upgraded, CURRENT)
      const after = await server.store.committed.users.byId(id)
      const last_login_at = after?.last_login_at
      assert.deepEqual(after, { ...before, password_hash: upgraded, last_login_at })
      await server.auth.sessions.refresh(tokens.refresh_token)
      assert.equal(await server.login('correct horse'), 200)
      assert.equal(await server.stored(), upgraded, 'a current hash is not replaced')
    })

    it('applies to argon2id with other parameters', async () => {
      await using server = await started()
      const older = await hash(PASSWORD, { algorithm: 2, memoryCost: 9216, timeCost: 4, parallelism: 1 })
      await server.auth.users.create({ email: EMAIL, passwordHash: older })
      assert.equal(await server.login(PASSWORD), 200)
      assert.match(await server.stored(), CURRENT)
    })

    it('simultaneous first log-ins all succeed', async () => {
      await using server = await started()
      await server.auth.users.create({ email: EMAIL, passwordHash: BCRYPT })
      const statuses = await Promise.all(Array.from({ length: 4 }, () => server.login('correct horse')))
      assert.deepEqual(new Set(statuses), new Set([200]))
      assert.match(await server.stored(), CURRENT)
    })

    it('does not undo a password that is changed meanwhile', async () => {
      await using server = await started()
      for (let delay = 0; delay < 120; delay += 15) {
        const email = `after-${delay}@example.com`
        const { id } = await server.auth.users.create({ email, passwordHash: BCRYPT })
        const login = server.login('correct horse', email)
        await new Promise((resolve) => setTimeout(resolve, delay))
        await server.auth.users.update(id, { password: PASSWORD })
        assert.ok([200, 401].includes(await login))
        assert.equal(await server.login('correct horse', email), 401, `after ${delay} ms`)
        assert.equal(await server.login(PASSWORD, email), 200, `after ${delay} ms`)
      }
    })
  })
}
