import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { importKey, type JwtPayload, unsafeDecode } from '@sealwax/jwt'
import type { AuthOptions } from '../../src/index.ts'
import { purgeSubjectVersions } from '../../src/sessions/subject-versions.ts'
import { assertProblem, DAY, HOUR, MINUTE, PASSWORD, SECOND, type Started, standing, startAuth } from '../server.ts'
import { STORES } from '../stores.ts'

const UNTIL = '2026-03-31'
const OCTETS = Buffer.from('an older secret of more than thirty-two octets')
const EMAIL = 'ann@example.com'
const PHONE = { 'User-Agent': 'Phone/1.0' }

/** A token as the package jsonwebtoken writes it: HS256, without iss, aud and jti. */
function legacyToken(claims: JwtPayload): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', OCTETS).update(signed).digest('base64url')}`
}

/** What the store contains about an exchanged token without `sid` and `jti`. */
function hashOf(token: string): string {
  const identity = ['token', null, token.slice(0, token.lastIndexOf('.'))]
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url')
}

/** Waits up to 5 seconds for a condition. */
async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await isMet()); i += 1) await delay(50)
  assert.ok(await isMet())
}

const LEGACY: Partial<AuthOptions> = {
  issuers: [{ issuer: null, keys: importKey(OCTETS, { alg: 'HS256' }), until: UNTIL, audience: null }],
  exchange: { until: UNTIL },
}

/** Starts a server with the user ann, who has logged in to the older system an hour ago. */
async function startWithAnn(options: Partial<AuthOptions> = {}) {
  const server = await startAuth({ ...LEGACY, ...options })
  await server.auth.users.create({ id: 'ann', email: EMAIL, password: PASSWORD, roles: ['teacher'] })
  server.clock.advance(HOUR)
  const iat = seconds(server) - 1800
  return { server, token: legacyToken({ sub: 'ann', iat, exp: iat + 7 * 86_400 }) }
}

function seconds({ clock }: Started): number {
  return Math.floor(clock.time / SECOND)
}

function exchange(
  server: Started,
  token: string,
  { json = {}, headers = PHONE }: { json?: object; headers?: object } = {},
) {
  return server.call('/login/exchange', { method: 'POST', token, json, headers: { ...headers } })
}

/** Checks a refusal, its sentence, and that no session began. */
async function assertRefused(server: Started, token: string, sentence: RegExp): Promise<void> {
  const sessions = (await server.auth.sessions.list('ann')).length
  const reply = await exchange(server, token)
  assertProblem(reply, [403, 'exchange_refused'])
  assert.match(reply.body.detail, sentence)
  assert.equal((await server.auth.sessions.list('ann')).length, sessions)
}

for (const [kind, open] of Object.entries(STORES)) {
  describe(`the exchange of older sessions, ${kind}`, () => {
    it('starts a session of ours, with the roles of the user here and without a log-in time', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const reply = await exchange(server, token, { json: { device: 'phone-1', remember: false } })
      assert.equal(reply.status, 200, reply.text)
      const { payload } = unsafeDecode(reply.body.access_token)
      assert.deepEqual([payload.sub, payload.roles, payload.auth_time, payload.amr], ['ann', ['teacher'], 0, []])
      assert.equal(await standing(server.auth, reply.body.access_token), 'accepted')
      const events = server.events.filter(({ type }) => type.startsWith('session.'))
      assert.deepEqual(
        events.map(({ type, data }) => [type, data]),
        [
          ['session.created', { amr: [] }],
          ['session.exchanged', { issuer: null }],
        ],
      )
      const refreshed = await server.call('/refresh', { json: { refresh_token: reply.body.refresh_token } })
      assert.equal(refreshed.status, 200)
      assert.ok(!JSON.stringify([server.events, server.lines]).includes(token.slice(-20)))
    })

    it('happens once: other clients are refused, and the session continues', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const first = await exchange(server, token)
      const other = await exchange(server, token, { headers: { 'User-Agent': 'Other/1.0' } })
      assertProblem(other, [403, 'exchange_refused'])
      assert.match(other.body.detail, /exchanged before/)
      assert.equal(server.events.at(-1)?.type, 'session.exchange_refused')
      assert.equal(server.events.at(-1)?.sessionId, first.body.session.id)
      assert.equal(await standing(server.auth, first.body.access_token), 'accepted')
      assert.equal((await server.call('/refresh', { json: { refresh_token: first.body.refresh_token } })).status, 200)
    })

    it('two requests of one client at once get the same session', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const replies = await Promise.all(Array.from({ length: 8 }, () => exchange(server, token)))
      assert.deepEqual(
        replies.map(({ status }) => status),
        Array(8).fill(200),
      )
      assert.equal(new Set(replies.map(({ body }) => body.refresh_token)).size, 1)
      assert.equal((await server.auth.sessions.list('ann')).length, 1)
      for (const { body } of replies) assert.equal(await standing(server.auth, body.access_token), 'accepted')
    })

    it('two different clients at once: one wins', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const clients = Array.from({ length: 6 }, (_, i) => ({ 'User-Agent': `${'abcdef'[i]} client` }))
      const replies = await Promise.all(clients.map((headers) => exchange(server, token, { headers })))
      const codes = replies.map(({ status, body }) => (status === 200 ? 'ok' : body.code)).toSorted()
      assert.deepEqual(codes, [...Array(5).fill('exchange_refused'), 'ok'])
      assert.equal((await server.auth.sessions.list('ann')).length, 1)
    })

    const ENDS: Record<string, (server: Started) => Promise<unknown>> = {
      'a password change': ({ auth }) => auth.users.update('ann', { password: 'quite another passphrase' }),
      'all sessions were ended': ({ auth }) => auth.sessions.revokeAll('ann'),
      'the user was disabled and enabled again': async ({ auth }) => {
        await auth.users.disable('ann')
        await auth.users.enable('ann')
      },
      'the user was deleted': ({ auth }) => auth.users.delete('ann'),
      'the user was deleted and created again': async ({ auth }) => {
        await auth.users.delete('ann')
        await auth.users.create({ id: 'ann', email: EMAIL, password: PASSWORD })
      },
    }
    for (const [name, end] of Object.entries(ENDS)) {
      it(`an older session is refused after ${name}, also days later`, async () => {
        await using opened = await open()
        const { server, token } = await startWithAnn({ store: opened.store })
        await using _ = server
        await end(server)
        await assertRefused(server, token, /have ended since/)
        server.clock.advance(6 * DAY)
        const config = { exchange: { until: Date.parse(UNTIL), read: undefined } }
        const purging = { store: opened.store, now: () => server.clock.time, config }
        await purgeSubjectVersions(purging, new AbortController().signal)
        await assertRefused(server, token, /have ended since/)
      })
    }

    it('a disabled user is refused, and a session that began after a password change is not', async () => {
      await using opened = await open()
      const { server } = await startWithAnn({ store: opened.store })
      await using _ = server
      await server.auth.users.disable('ann')
      server.clock.advance(MINUTE)
      const times = { iat: seconds(server) - 1, exp: seconds(server) + 3600 }
      // A token that the older system may have renewed since.
      await assertRefused(server, legacyToken({ sub: 'ann', ...times }), /have ended since/)
      const later = legacyToken({ sub: 'ann', auth_time: times.iat, ...times })
      assertProblem(await exchange(server, later), [403, 'user_disabled'])
      await server.auth.users.enable('ann')
      assert.equal((await exchange(server, later)).status, 200)
    })

    it('a log-in of the same second as the end of all sessions is refused', async () => {
      await using opened = await open()
      const { server } = await startWithAnn({ store: opened.store })
      await using _ = server
      const token = legacyToken({ sub: 'ann', iat: seconds(server), exp: seconds(server) + 3600 })
      await server.auth.sessions.revokeAll('ann')
      await assertRefused(server, token, /have ended since/)
    })

    it('a password change that races an exchange wins: no session survives it', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const [reply] = await Promise.all([exchange(server, token), server.auth.sessions.revokeAll('ann')])
      assert.ok([200, 403].includes(reply.status), reply.text)
      assert.deepEqual(await server.auth.sessions.list('ann'), [])
      if (reply.status === 200) assert.equal(await standing(server.auth, reply.body.access_token), 'token_revoked')
    })

    it('after the log-out of the new session, the older one is refused', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      const { body } = await exchange(server, token)
      assert.equal((await server.call('/logout', { method: 'POST', token: body.access_token, json: {} })).status, 204)
      await assertRefused(server, token, /exchanged before/)
    })

    it('keeps what was exchanged until the date, and then deletes it and refuses everything', async () => {
      await using opened = await open()
      const { server, token } = await startWithAnn({ store: opened.store })
      await using _ = server
      await exchange(server, token)
      server.clock.time = Date.parse(UNTIL) - 1
      const warnings = () => server.lines.filter(({ message }) => message.includes('no longer exchanged'))
      await server.restart({ store: await opened.another() })
      await delay(200)
      assert.equal(warnings().length, 0)
      const rest = await opened.another()
      const row = () => rest.committed.exchangedSessions.byHash(hashOf(token))
      assert.equal((await row())?.until, Date.parse(UNTIL))
      server.clock.time += 1
      await server.restart({ store: await opened.another() })
      await until(() => warnings().length === 1)
      await until(async () => (await row()) === undefined)
      const refused = await exchange(server, token)
      assertProblem(refused, [403, 'exchange_refused'])
      assert.match(refused.body.detail, /until 2026-03-31T00:00:00\.000Z/)
    })
  })
}
