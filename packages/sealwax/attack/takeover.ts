import { PASSWORD, standing } from '../test/server.ts'
import { type Attack, exactly, type Result } from './attack.ts'
import { type Embedded, ISSUER, OWNER, startEmbedded } from './embedded.ts'

const CHOSEN = 'a new and longer passphrase'
const NEW_ADDRESS = 'owner.new@example.com'
const RACES = 50

/** Spellings that a reader takes for the address of the owner. */
const LOOK_ALIKES = [
  '\u043ewner@example.com',
  '\uff4fwner@example.com',
  'owner\u200b@example.com',
  'owner\u00ad@example.com',
  'owner@example\u3002com',
  'owner@example.com.',
  'owner@example.com\u0000',
  'OWNER@EXAMPLE.COM',
  ' owner@example.com ',
]

/**
 * A domain with a Cyrillic letter is another domain, whose users may sign up: under the name that
 * it has in DNS, which nobody takes for the other.
 */
const FOREIGN_DOMAIN = { written: 'owner@ex\u0430mple.com', stored: 'owner@xn--exmple-4nf.com' }

/** Members that no body may set. */
const FORBIDDEN = ['id', 'roles', 'ver', 'disabled', 'email_verified', 'emailVerified', 'password_hash', 'created_at']

/** Addresses that add a header to a mail, where they are copied into one. */
const INJECTIONS = [
  'owner@example.com\r\nBcc: thief@example.net',
  'owner@example.com\nSubject: x',
  'a@b.c,owner@example.com',
]

/** Attempts to get the account of somebody else, or more rights than are due. */
export const takeover: Attack = {
  name: 'takeover',
  description: 'look-alike addresses, extra members, headers in mails, foreign hosts, used tokens, races',
  async run(place, store, scale) {
    const races = Math.max(2, Math.round(RACES * scale))
    await using server = await startEmbedded(place, store)
    const results = [
      ...(await lookAlikes(server)),
      ...(await massAssignment(server)),
      ...(await mails(server)),
      ...(await usedTokens(server)),
    ]
    let survived = 0
    let resets = 0
    let changes = 0
    for (let race = 0; race < races; race += 1) {
      // Nothing counts against the next race any more.
      server.clock.advance(24 * 3_600_000)
      const victim = `victim-${race}@example.com`
      await server.auth.users.create({ email: victim, password: PASSWORD })
      if ((await racingResets(server, victim)) === 1) resets += 1
      if (await survivesReset(server, victim)) survived += 1
      server.clock.advance(24 * 3_600_000)
      if ((await racingChanges(server, `wanted-${race}@example.com`, race)) === 1) changes += 1
    }
    return [
      ...results,
      exactly(`${races} times two resets with one token: one done`, resets, races),
      exactly(`${races} log-ins with the old password during a reset: live`, survived, 0),
      exactly(`${races} times two users verify one address: one done`, changes, races),
    ]
  },
}

const IP = '10.7.0.7'

const post = (server: Embedded, path: string, json: object, token?: string) =>
  server.call(IP, path, { json, ...(token !== undefined && { token }) })

async function lookAlikes(server: Embedded): Promise<Result[]> {
  const taken = []
  for (const email of LOOK_ALIKES) taken.push((await post(server, '/register', { email, password: PASSWORD })).status)
  const foreign = await post(server, '/register', { email: FOREIGN_DOMAIN.written, password: PASSWORD })
  for (const email of LOOK_ALIKES) await post(server, '/password/forgot', { email })
  const sent = [...(await server.inbox.left())]
  const others = sent.filter(({ to }) => to !== OWNER)
  server.inbox.mails.length = 0
  server.clock.advance(24 * 3_600_000)
  return [
    exactly(
      'sign-ups with a look-alike: accepted',
      taken.filter((status) => status !== 409 && status !== 422).length,
      0,
    ),
    exactly('a sign-up at a look-alike domain: address', foreign.body.user?.email ?? 'none', FOREIGN_DOMAIN.stored),
    exactly('resets for a look-alike: mails to others than the owner', others.length, 0),
    exactly('resets for another spelling: mail to the owner', sent.length > 0 ? 'yes' : 'no', 'yes'),
  ]
}

async function massAssignment(server: Embedded): Promise<Result[]> {
  const admin = await server.auth.users.create({
    ...{ email: 'root@example.com', password: PASSWORD, roles: ['sealwax:admin'] },
  })
  const root = await server.auth.login({ email: 'root@example.com', password: PASSWORD })
  const { access_token: token } = (await post(server, '/login', { email: OWNER, password: PASSWORD })).body
  let accepted = 0
  const attempt = async (method: string, path: string, json: object, as?: string) => {
    const { status } = await server.call(IP, path, { method, json, ...(as !== undefined && { token: as }) })
    if (status !== 422) accepted += 1
  }
  for (const member of FORBIDDEN) {
    const value = member === 'roles' ? ['sealwax:admin'] : true
    await attempt('POST', '/register', { email: 'thief@example.net', password: PASSWORD, [member]: value })
    await attempt('PATCH', '/me', { [member]: value }, token)
    if (member === 'roles') continue
    await attempt('POST', '/admin/users', { email: 'thief@example.net', [member]: value }, root.tokens.access_token)
    await attempt('PATCH', `/admin/users/${admin.id}`, { roles: [], [member]: value }, root.tokens.access_token)
  }
  const body = `{"email":"proto@example.net","password":"${PASSWORD}","__proto__":{"roles":["sealwax:admin"]}}`
  const headers = { 'Content-Type': 'application/json' }
  await server.call(IP, '/register', { method: 'POST', body, headers })
  const roles = (await server.auth.users.find('proto@example.net'))?.roles ?? []
  return [
    exactly('bodies with a member that is not theirs: accepted', accepted, 0),
    exactly('roles by way of __proto__', roles.length, 0),
  ]
}

async function mails(server: Embedded): Promise<Result[]> {
  let accepted = 0
  for (const email of INJECTIONS) {
    const { status } = await post(server, '/register', { email, password: PASSWORD })
    if (status !== 422) accepted += 1
    await post(server, '/password/forgot', { email })
  }
  const foreign = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.example' }
  await server.call(IP, '/password/forgot', { json: { email: OWNER }, headers: foreign })
  const request = { method: 'POST', headers: { 'Content-Type': 'application/json', Host: 'evil.example' } }
  const body = JSON.stringify({ email: OWNER })
  await server.auth.fetch(new Request('http://evil.example/password/forgot', { ...request, body }))
  const sent = await server.inbox.left()
  const injected = sent.filter(({ to, subject }) => to !== OWNER || /[\r\n]/.test(subject))
  const links = sent.flatMap(({ text, html }) => `${text} ${html}`.match(/https?:\/\/[^\s"<]+/g) ?? [])
  const result = [
    exactly('addresses with a header inside: accepted', accepted, 0),
    exactly('mails with another recipient or a header inside', injected.length, 0),
    exactly('mails with a link', links.length > 0 ? 'yes' : 'no', 'yes'),
    exactly('links to another host', links.filter((link) => !link.startsWith(`${ISSUER}/`)).length, 0),
  ]
  server.inbox.mails.length = 0
  return result
}

async function usedTokens(server: Embedded): Promise<Result[]> {
  server.clock.advance(24 * 3_600_000)
  await post(server, '/password/forgot', { email: OWNER })
  const { token, code } = await server.inbox.next(OWNER)
  const statuses = []
  for (const json of [{ token }, { token }, { email: OWNER, code }])
    statuses.push((await post(server, '/password/reset', { ...json, password: CHOSEN })).status)
  const wrongUse = await post(server, '/email/verify', { token })
  const { access_token } = (await post(server, '/login', { email: OWNER, password: CHOSEN })).body
  await post(server, '/email', { email: NEW_ADDRESS, password: CHOSEN }, access_token)
  const change = await server.inbox.next(NEW_ADDRESS)
  for (let i = 0; i < 2; i += 1) statuses.push((await post(server, '/email/verify', { token: change.token })).status)
  server.inbox.mails.length = 0
  return [
    exactly('reset by link, again, by its code: status', statuses.slice(0, 3).join(' '), '204 400 400'),
    exactly('a token of a reset at /email/verify: status', wrongUse.status, 400),
    exactly('verification by link, and again: status', statuses.slice(3).join(' '), '204 400'),
  ]
}

/** Returns how many of two resets with the same token are done. */
async function racingResets(server: Embedded, victim: string): Promise<number> {
  await post(server, '/password/forgot', { email: victim })
  const { token } = await server.inbox.next(victim)
  const both = [CHOSEN, `${CHOSEN} 2`].map((password) => post(server, '/password/reset', { token, password }))
  const replies = await Promise.all(both)
  await server.auth.users.setPassword((await server.auth.users.find(victim))?.id ?? '', PASSWORD)
  return replies.filter(({ status }) => status === 204).length
}

/** Whether a session that began with the old password outlives a reset at the same time. */
async function survivesReset(server: Embedded, victim: string): Promise<boolean> {
  server.inbox.mails.length = 0
  await post(server, '/password/forgot', { email: victim })
  const { token } = await nextWithToken(server, victim)
  const [login] = await Promise.all([
    post(server, '/login', { email: victim, password: PASSWORD }),
    post(server, '/password/reset', { token, password: CHOSEN }),
  ])
  if (login.status !== 200) return false
  const refreshed = await post(server, '/refresh', { refresh_token: login.body.refresh_token })
  return refreshed.status === 200 || (await standing(server.auth, login.body.access_token)) === 'accepted'
}

/** Other mails, such as that a password has changed, may come first. */
async function nextWithToken(server: Embedded, to: string) {
  for (;;) {
    const mail = await server.inbox.next(to)
    if (mail.link.includes('/account/reset-password')) return mail
  }
}

/** Returns how many of two users get the same new address. */
async function racingChanges(server: Embedded, wanted: string, race: number): Promise<number> {
  const tokens = []
  for (const name of ['one', 'two']) {
    const { id } = await server.auth.users.create({ email: `${name}-${race}@example.com`, password: PASSWORD })
    const { access_token } = await server.auth.sessions.create({ subject: id })
    await post(server, '/email', { email: wanted, password: PASSWORD }, access_token)
    tokens.push((await server.inbox.next(wanted)).token)
  }
  const replies = await Promise.all(tokens.map((token) => post(server, '/email/verify', { token })))
  return replies.filter(({ status }) => status === 204).length
}
