import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertProblem, PASSWORD, startAuth } from '../server.ts'

/** Different strings with lone surrogates, each of which becomes U+FFFD in UTF-8. */
const LONE = ['\ud800', '\udfff', '\udc00\ud800', `\ud83d`].map((half) => `${PASSWORD} ${half}`)
const WHOLE = `${PASSWORD} \ud83d\ude00`

it('attack: a password with a lone surrogate, which UTF-8 encodes like any other one, is refused everywhere', async () => {
  await using server = await startAuth()
  const { users } = server.auth
  const { id } = await users.create({ email: 'ann@example.com', password: WHOLE })
  for (const password of LONE) {
    for (const path of ['/login', '/register']) {
      const reply = await server.call(path, { json: { email: 'ann@example.com', password } })
      assertProblem(reply, [422, 'validation_failed'], path)
      assert.deepEqual(
        reply.body.errors.map(({ path: pointer, message }) => [pointer, message]),
        [['/password', 'The password must be valid Unicode: it has half of a surrogate pair']],
      )
    }
    const refused = { code: 'validation_failed', message: /half of a surrogate pair/ }
    await assert.rejects(users.create({ email: 'b@example.com', password }), refused)
    await assert.rejects(users.update(id, { password }), refused)
  }
  assert.equal((await server.call('/login', { json: { email: 'ann@example.com', password: WHOLE } })).status, 200)
})

it('attack: subjects that differ only in a lone surrogate are refused', async () => {
  await using server = await startAuth()
  for (const subject of ['ann\ud800', 'ann\ud801', '\udc00'])
    await assert.rejects(server.auth.sessions.create({ subject }), { code: 'validation_failed' })
  await server.auth.sessions.create({ subject: 'ann😀' })
})
