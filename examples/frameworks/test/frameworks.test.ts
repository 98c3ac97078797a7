import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestIssuer, forgedTokens } from '@sealwax/guard/testing'
import { call } from '../../learning-platform/test/process.ts'
import { type Program, startProgram } from './program.ts'

const password = 'change-this-demo-password'
const ALEX = { email: 'alex@example.com', password }
const BOB = { email: 'bob@example.com', password }

for (const name of ['express', 'fastify', 'hono', 'koa', 'nest', 'node-http']) {
  describe(`frameworks: ${name}`, () => {
    let program: Program
    before(async () => {
      program = await startProgram(join(import.meta.dirname, `../src/${name}.ts`))
    })
    after(() => program.kill())

    const send = (path: string, options?: Parameters<typeof call>[2]) => call(program.url, path, options)
    const logIn = async (user: typeof ALEX) => {
      const { status, body } = await send('/login', { body: user })
      assert.equal(status, 200)
      return body
    }

    it('a wrong password is refused', async () => {
      const { status, body } = await send('/login', { body: { ...ALEX, password: 'another password, not that' } })
      assert.deepEqual([status, body.code], [401, 'invalid_credentials'])
    })

    it('GET /profile: exactly the profile with a token, 401 without one', async () => {
      const { access_token: token } = await logIn(ALEX)
      const profile = await send('/profile', { token })
      assert.deepEqual(profile, { status: 200, body: { user_id: 'user-123', message: 'Protected profile' } })

      const refused = await fetch(`${program.url}/profile`)
      assert.equal(refused.status, 401)
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="api"')
      assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(((await refused.json()) as { code: string }).code, 'token_missing')
    })

    it('GET /reports: 200 for a teacher, 403 for others', async () => {
      const teacher = await send('/reports', { token: (await logIn(BOB)).access_token })
      assert.deepEqual(teacher, { status: 200, body: { reports: ['January', 'February'] } })
      const { status, body } = await send('/reports', { token: (await logIn(ALEX)).access_token })
      assert.deepEqual([status, body.code], [403, 'insufficient_role'])
    })

    it('tokens that are forged or of another issuer are refused', async () => {
      const { access_token: token } = await logIn(BOB)
      const { body: jwks } = await send('/.well-known/jwks.json')
      const forged = forgedTokens(token, jwks.keys[0])
      assert.ok(forged.length > 20)
      const other = createTestIssuer({ issuer: program.url, audience: program.url })
      const tokens = [...forged.map((each) => each.token), other.mint({ subject: 'user-123', roles: ['teacher'] })]
      for (const path of ['/profile', '/reports']) {
        for (const each of tokens) assert.equal((await send(path, { token: each })).status, 401, each)
      }
    })

    it('a refresh gives a token that is accepted', async () => {
      const { refresh_token } = await logIn(ALEX)
      const refreshed = await send('/refresh', { body: { refresh_token } })
      assert.equal(refreshed.status, 200)
      assert.equal((await send('/profile', { token: refreshed.body.access_token })).status, 200)
      const { status, body } = await send('/refresh', { body: { refresh_token: `${refresh_token.slice(0, -4)}AAAA` } })
      assert.deepEqual([status, body.code], [400, 'invalid_grant'])
    })

    it('after a log-out, both tokens are refused', async () => {
      const { access_token: token, refresh_token } = await logIn(ALEX)
      const { access_token: elsewhere } = await logIn(ALEX)
      assert.equal((await send('/logout', { token, body: { scope: 'current' } })).status, 204)
      const { status, body } = await send('/profile', { token })
      assert.deepEqual([status, body.code], [401, 'token_revoked'])
      assert.equal((await send('/refresh', { body: { refresh_token } })).status, 400)
      assert.equal((await send('/profile', { token: elsewhere })).status, 200, 'the other session goes on')
    })

    it('other paths get 404 of the framework, and other methods reach no handler', async () => {
      assert.equal((await fetch(`${program.url}/nowhere`)).status, 404)
      const { access_token: token } = await logIn(ALEX)
      const posted = await fetch(`${program.url}/profile`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
      })
      assert.ok([404, 405].includes(posted.status), String(posted.status))
    })

    it('SIGTERM ends the program with code 0', async () => {
      assert.equal(await program.end(), 0, program.output())
      assert.match(program.output(), /^[\w: .]+: http:\/\/127\.0\.0\.1:\d+\n$/, 'nothing else is printed')
    })
  })
}
