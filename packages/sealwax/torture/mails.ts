import { setTimeout as delay } from 'node:timers/promises'
import { type Mailbox, openMailbox } from '../test/mailbox.ts'
import { PASSWORD } from '../test/server.ts'
import { checkNotices, onlyTheseUsers } from './account-checks.ts'
import { type Account, begin, logIn, type MailWorld, type Step, settle } from './accounts.ts'
import { checkDatabase } from './integrity.ts'
import { openAuth } from './open.ts'
import { checkCopies, drained, type Kill } from './outbox.ts'
import type { Place, StoreName } from './place.ts'
import { post } from './posts.ts'
import type { Run, Times } from './run.ts'
import { type ServerProcess, startServer } from './servers.ts'

const WAVES: Times = { full: 60, short: 2 }
/** Kills of single servers in a wave at most, before the one of all servers. */
const STRIKES: Times = { full: 3, short: 0 }
const ACCOUNTS: Times = { full: 16, short: 8 }
/** New addresses in each wave, and the accounts that are active in it besides those with a link. */
const NEW = 2
const ACTIVE = 10
/** How many accounts are compared at the same time. */
const AT_ONCE = 4
/** Ten mails a day may be sent to an address, and one step sends three at most. */
const MOST_MAILED = 7
/**
 * Between two waves: longer than a server keeps a mail to itself. Two of them are shorter than the
 * life of a token, which may be sent before the one and used after the other.
 */
const STEP_MS = 14 * 60_000
/** For how long the SMTP server holds back the reply to a mail, at most. */
const HELD_MS = 40
/** How long a wave waits for its first mail at most. */
const FIRST_MAIL_MS = 5000

const ADMIN = { id: 'admin', email: 'admin@example.com', password: PASSWORD }

/**
 * Sends `kill -9` at random times to servers that accept sign-ups, invitations, resets and changes
 * of address, send the mails over SMTP, and carry out the tokens in them. Each wave ends with the
 * death of all servers. New ones send what is left, and then the result is compared with the
 * responses that the clients got.
 */
export async function mails(run: Run, place: Place, store: StoreName): Promise<void> {
  const databaseUrl = await place.database(store)
  const accounts = await createUsers(databaseUrl, run.times(ACCOUNTS))
  await using mailbox = await openMailbox()
  mailbox.behaviour.stall = true
  const releasing = setInterval(() => mailbox.release(), HELD_MS)
  const servers: ServerProcess[] = []
  try {
    for (const name of ['one', 'two']) servers.push(await startSender(databaseUrl, mailbox, name))
    const world: MailWorld = { run, databaseUrl, mailbox, urls: servers.map(({ url }) => url), adminToken: '' }
    for (const account of accounts) if (account.exists) await logIn(world, account)
    const kills: Kill[] = []
    const waves = run.times(WAVES)
    for (let wave = 1; wave <= waves; wave += 1) {
      await logInAdmin(world)
      await oneWave(world, { wave, servers, kills, accounts })
    }
    checkCopies(run, mailbox.all, kills)
    await onlyTheseUsers(world, [ADMIN.email, ...accounts.filter(({ exists }) => exists).map(({ email }) => email)])
    await checkDatabase(run, databaseUrl, true)
  } finally {
    clearInterval(releasing)
    await Promise.all(servers.map((server) => server.kill()))
  }
}

interface Wave {
  readonly wave: number
  readonly servers: readonly ServerProcess[]
  readonly kills: Kill[]
  readonly accounts: Account[]
}

async function oneWave(world: MailWorld, { wave, servers, kills, accounts }: Wave): Promise<void> {
  const { run, mailbox, databaseUrl } = world
  const before = mailbox.all.length
  const sent = mailbox.attempts()
  const begun = chosen(run, accounts).map((account) => begin(world, account))
  for (let i = run.random.below(run.times(STRIKES) + 1); i > 0; i -= 1) {
    await moment(run, mailbox)
    const victim = run.random.below(servers.length)
    await strike(run, servers, [victim], kills)
    await servers[victim]?.start()
  }
  // On a slow machine, no server would have replied yet.
  if (wave % 2 === 1) await firstMail(mailbox, sent)
  await moment(run, mailbox)
  await strike(run, servers, [...servers.keys()], kills)
  const acts = await Promise.all(begun)
  // Told to dead servers: it is the clock with which the next ones start.
  await Promise.all(servers.map((server) => server.setClock(wave * STEP_MS)))
  await Promise.all(servers.map((server) => server.start()))
  await drained(run, databaseUrl)
  for (let i = 0; i < acts.length; i += AT_ONCE) {
    const some = acts.slice(i, i + AT_ONCE)
    await Promise.all(some.map((act) => settle(world, act, mailbox.all.slice(before))))
  }
  await drained(run, databaseUrl)
  for (const act of acts) checkNotices(run, act, mailbox.all.slice(before))
  for (let i = 0; i < NEW; i += 1) accounts.push(newAccount(`w${wave}-${i}`, i % 2 === 0 ? 'sign-up' : 'invite'))
  for (const server of servers) {
    run.check(!server.died, `wave ${wave}: a server exited by itself: ${server.tail.join(' | ')}`)
  }
}

/** The accounts with links in the mail, which expire, and some others. */
function chosen({ random }: Run, accounts: readonly Account[]): Account[] {
  const free = accounts.filter(({ tokens, mailed }) => tokens.length === 0 && mailed <= MOST_MAILED)
  const others = Array.from({ length: Math.min(ACTIVE, free.length) }, () => random.pick(free))
  return [...new Set([...accounts.filter(({ tokens }) => tokens.length > 0), ...others])]
}

/** Waits for a random time, or until a mail is being sent and its reply is held back. */
async function moment({ random }: Run, { attempts }: Mailbox): Promise<void> {
  const deadline = performance.now() + 100 + random.below(700)
  const before = random.chance(0.6) ? attempts() : Infinity
  while (performance.now() < deadline && attempts() <= before) await delay(1)
  if (random.chance(0.5)) await delay(random.below(HELD_MS))
}

/** Waits until the first mail of a wave is being sent: its request was acknowledged. */
async function firstMail({ attempts }: Mailbox, before: number): Promise<void> {
  const deadline = performance.now() + FIRST_MAIL_MS
  while (performance.now() < deadline && attempts() === before) await delay(1)
}

async function strike(
  run: Run,
  servers: readonly ServerProcess[],
  victims: readonly number[],
  kills: Kill[],
): Promise<void> {
  const from = performance.now()
  await Promise.all(victims.map((victim) => servers[victim]?.kill()))
  const until = performance.now()
  for (const victim of victims) kills.push({ victim: victim === 0 ? 'one' : 'two', from, until })
  run.count('kill -9 of a server process', victims.length)
}

/** A server whose mails say which one sent them. */
function startSender(databaseUrl: string, { url }: Mailbox, name: string): Promise<ServerProcess> {
  const settings = {
    SEALWAX_REGISTRATION: 'verified',
    SEALWAX_SMTP_URL: url,
    SEALWAX_MAIL_FROM: `${name}@sender.example`,
    SEALWAX_TRUST_PROXY: '1',
    SEALWAX_ACCESS_TTL: '24h',
  }
  return startServer({ databaseUrl, program: 'embedding', settings })
}

function newAccount(name: string, next: Step): Account {
  const [email, target] = [`${name}@example.com`, `${name}-new@example.com`]
  const nothing = { refreshToken: undefined, accessToken: undefined, deviceToken: undefined }
  return {
    ...{ name, email, target, password: PASSWORD, next, tokens: [], exists: false, mailed: 0, round: 0 },
    ...nothing,
  }
}

/** Some users are there from the start, so that a short run has resets in its first wave, too. */
async function createUsers(databaseUrl: string, count: number): Promise<Account[]> {
  await using auth = await openAuth(databaseUrl)
  await auth.users.create({ ...ADMIN, roles: ['sealwax:admin'] })
  const accounts: Account[] = []
  for (let i = 0; i < count; i += 1) {
    const next = (['sign-up', 'invite', 'forget', 'move'] as const)[i % 4] ?? 'sign-up'
    const account = newAccount(`a${i}`, next)
    accounts.push(account)
    if (next === 'sign-up' || next === 'invite') continue
    await auth.users.create({ id: account.name, email: account.email, password: PASSWORD })
    account.exists = true
  }
  return accounts
}

async function logInAdmin(world: MailWorld): Promise<void> {
  const { email, password } = ADMIN
  const answer = await post(world.urls[0] ?? '', '/login', { email, password }, { ip: '203.0.113.1' })
  if (answer === 'lost' || answer.status !== 200) throw new Error('the administrator could not log in')
  world.adminToken = answer.body.access_token ?? ''
}
