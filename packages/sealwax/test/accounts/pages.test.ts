import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SHIPPED_PAGE_TEXTS } from '../../src/accounts/page-texts.ts'
import { assertProblem, PASSWORD, standing, startAuth } from '../server.ts'
import { startWithInbox } from './inbox.ts'

const EMAIL = 'ann@example.com'
const NEW = 'a new and longer passphrase'

type Server = Awaited<ReturnType<typeof startWithInbox>>

async function withResetLink() {
  const server = await startWithInbox()
  const user = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
  await server.call('/password/forgot', { json: { email: EMAIL } })
  const { link, token } = await server.inbox.next(EMAIL)
  const { pathname, search } = new URL(link)
  return Object.assign(server, { user, token, path: pathname + search })
}

/** Presses the button of a page. */
const press = (server: Server, path: string, fields: Record<string, string>, headers = {}) =>
  server.call(path, { body: new URLSearchParams(fields), headers })

describe('pages of mails', () => {
  it('opening a link uses nothing up, however often: its button does', async () => {
    await using server = await withResetLink()
    for (const method of ['GET', 'GET', 'HEAD']) {
      const { status, headers } = await server.call(server.path, { method })
      assert.equal(status, 200)
      assert.match(headers.get('Content-Type') ?? '', /^text\/html/)
    }
    const done = await press(server, '/account/reset-password', { token: server.token, password: NEW })
    assert.equal(done.status, 200)
    assert.match(done.text, /Your new password is set/)
    const login = await server.call('/login', { json: { email: EMAIL, password: NEW } })
    assert.equal(login.status, 200)
    const again = await press(server, '/account/reset-password', { token: server.token, password: NEW })
    assert.equal(again.status, 400)
    assert.match(again.text, /expired, or was used already/)
  })

  it('have no scripts, load nothing, may not be framed, and are not cached', async () => {
    await using server = await withResetLink()
    const { headers, text } = await server.call(server.path)
    assert.match(
      headers.get('Content-Security-Policy') ?? '',
      /^default-src 'none';.*form-action 'self';.*frame-ancestors 'none'/,
    )
    assert.doesNotMatch(headers.get('Content-Security-Policy') ?? '', /unsafe/)
    assert.equal(headers.get('Cache-Control'), 'no-store')
    assert.equal(headers.get('Referrer-Policy'), 'same-origin')
    assert.doesNotMatch(text, /<script|<img|<link rel="stylesheet"|https?:\/\//)
  })

  it('show a refused password with its reason, and keep the link', async () => {
    await using server = await withResetLink()
    const refused = await press(server, '/account/reset-password', { token: server.token, password: 'short' })
    assert.equal(refused.status, 422)
    assert.match(refused.text, /role="alert">This password is too short/)
    assert.match(refused.text, new RegExp(`name="token" value="${server.token}"`))
    assert.doesNotMatch(refused.text, /value="short"/)
  })

  it('have the status of the error, and say when to try again', async () => {
    await using server = await withResetLink()
    const guess = () => press(server, '/account/invitation', { token: 'swo_unknown', password: NEW })
    for (let guesses = 0; guesses < 5; guesses += 1) assert.equal((await guess()).status, 400)
    const { status, headers, text } = await guess()
    assert.deepEqual([status, headers.get('Retry-After')], [429, '1'])
    assert.match(text, /role="alert">Too many attempts/)
  })

  it('the page of an invitation creates the user, and no session that nobody has', async () => {
    await using server = await startWithInbox({ registration: 'invited' })
    await server.auth.users.invite({ email: EMAIL, roles: ['teacher'] })
    const { token } = await server.inbox.next(EMAIL)
    const done = await press(server, '/account/invitation', { token, password: NEW })
    assert.deepEqual([done.status, done.headers.get('Set-Cookie')], [200, null])
    const user = await server.auth.users.find(EMAIL)
    assert.deepEqual([user?.roles, user?.emailVerified], [['teacher'], true])
    assert.deepEqual(await server.auth.sessions.list(user?.id as string), [])
    assert.equal((await server.call('/login', { json: { email: EMAIL, password: NEW } })).status, 200)
  })

  it('speak the language of the browser', async () => {
    await using server = await withResetLink()
    const german = await server.call(server.path, { headers: { 'Accept-Language': 'fr, de-AT;q=0.8, en;q=0.5' } })
    assert.match(german.text, /<html lang="de">[\s\S]*Neues Passwort wählen/)
    const french = { headers: { 'Accept-Language': 'fr-CH' } }
    assert.match((await server.call(server.path, french)).text, /<html lang="en">/)
    const { en } = SHIPPED_PAGE_TEXTS
    const page = { ...en.pages['reset-password'], title: 'Choisissez un mot de passe' }
    await server.restart({ pageTexts: { fr: { ...en, pages: { ...en.pages, 'reset-password': page } } } })
    assert.match((await server.call(server.path, french)).text, /<html lang="fr">[\s\S]*Choisissez un mot de passe/)
  })

  it('escape what a link contains', async () => {
    await using server = await withResetLink()
    const token = '"><script>alert(1)</script>'
    const { text } = await server.call(`/account/reset-password?token=${encodeURIComponent(token)}`)
    assert.doesNotMatch(text, /<script>/)
    assert.match(text, /&quot;&gt;&lt;script&gt;/)
  })

  it('a page without a token, or with one for something else, changes nothing', async () => {
    await using server = await withResetLink()
    assert.equal((await server.call('/account/reset-password')).status, 200)
    assert.equal((await press(server, '/account/verify-email', { token: server.token })).status, 400)
    assert.equal((await press(server, '/account/reset-password', { password: NEW })).status, 400)
    const done = await press(server, '/account/reset-password', { token: server.token, password: NEW })
    assert.equal(done.status, 200)
  })

  it('no token is in the log', async () => {
    await using server = await withResetLink()
    await server.call(server.path)
    await press(server, '/account/reset-password', { token: server.token, password: NEW })
    const log = JSON.stringify([server.lines, server.events, await server.auth.audit.list()])
    assert.ok(!log.includes(server.token))
    assert.ok(!log.includes(NEW))
  })

  it('"this was not me" after a change of the password ends every session and begins a reset', async () => {
    await using server = await withResetLink()
    await press(server, '/account/reset-password', { token: server.token, password: NEW })
    const { body } = await server.call('/login', { json: { email: EMAIL, password: NEW } })
    const notice = await server.inbox.next(EMAIL)
    assert.match(notice.link, /\/account\/not-me\?token=/)
    const done = await press(server, '/account/not-me', { token: notice.token })
    assert.equal(done.status, 200)
    assert.equal(await standing(server.auth, body.access_token), 'token_revoked')
    assert.match((await server.inbox.next(EMAIL)).link, /reset-password/)
  })

  it('without securityMails there are no such mails', async () => {
    await using server = await startWithInbox({ securityMails: false })
    await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    await server.call('/password/forgot', { json: { email: EMAIL } })
    const { token } = await server.inbox.next(EMAIL)
    assert.equal((await server.call('/password/reset', { json: { token, password: NEW } })).status, 204)
    assert.deepEqual(await server.inbox.left(), [])
  })
})

describe('a fork from another network', () => {
  it('sends the owner a mail whose link ends the session', async () => {
    await using server = await startWithInbox({ trustProxy: 1 })
    const user = await server.auth.users.create({ email: EMAIL, password: PASSWORD })
    const from = (ip: string) => ({ 'X-Forwarded-For': ip, 'User-Agent': 'Firefox' })
    const refresh = (refresh_token: string, ip: string) =>
      server.call('/refresh', { json: { refresh_token }, headers: from(ip) })
    const first = await server.auth.sessions.create({
      subject: user.id,
      client: { ip: '203.0.113.7', userAgent: 'Firefox' },
    })
    const rotated = await refresh(first.refresh_token, '203.0.113.7')
    assert.equal(rotated.status, 200)
    const forked = await refresh(first.refresh_token, '198.51.100.9')
    assert.equal(forked.status, 200)
    const notice = await server.inbox.next(EMAIL)
    assert.match(notice.text, /198\.51\.100\.9/)
    assert.equal((await press(server, '/account/not-me', { token: notice.token })).status, 200)
    assert.equal(await standing(server.auth, forked.body.access_token), 'token_revoked')
    assert.match((await server.inbox.next(EMAIL)).link, /reset-password/)
  })
})

describe('a server without mail', () => {
  const issuer = 'https://auth.example.com'

  it('does not start with a registration that needs mail', async () => {
    for (const registration of ['verified', 'invited'] as const) {
      await assert.rejects(
        startAuth({ issuer, registration }),
        new RegExp(`registration: '${registration}' needs mail`),
      )
    }
  })

  it('refuses what needs mail with a code of its own, for known and unknown addresses', async () => {
    await using server = await startAuth({ issuer })
    for (const path of ['/password/forgot', '/email/verification']) {
      assertProblem(await server.call(path, { json: { email: EMAIL } }), [501, 'mail_unavailable'])
    }
  })
})
