import { setTimeout as delay } from 'node:timers/promises'
import type { Mailbox, Received } from '../test/mailbox.ts'
import { idOf, liveTokens, rows, tokenIn } from './outbox.ts'
import { post, type Reply, someAddress, toldOf } from './posts.ts'
import type { Run } from './run.ts'

/** What the servers are asked for. The first four cause a mail, the others use the link in it. */
export type Step = keyof typeof STEPS

interface Asked {
  readonly path: string
  readonly accepted: number
  /** The page of the link that the mail contains, or that this step uses. */
  readonly page: string
  /** The step that uses the link, or that follows. */
  readonly next: readonly string[]
  readonly uses: boolean
}

const AGAIN = ['forget', 'move'] as const
const STEPS = {
  'sign-up': { path: '/register', accepted: 202, page: 'verify-email', next: ['confirm'], uses: false },
  invite: { path: '/invitations', accepted: 201, page: 'invitation', next: ['accept'], uses: false },
  forget: { path: '/password/forgot', accepted: 202, page: 'reset-password', next: ['reset'], uses: false },
  move: { path: '/email', accepted: 202, page: 'verify-email', next: ['confirm-move'], uses: false },
  confirm: { path: '/email/verify', accepted: 204, page: 'verify-email', next: AGAIN, uses: true },
  accept: { path: '/register', accepted: 201, page: 'invitation', next: AGAIN, uses: true },
  reset: { path: '/password/reset', accepted: 204, page: 'reset-password', next: AGAIN, uses: true },
  'confirm-move': { path: '/email/verify', accepted: 204, page: 'verify-email', next: AGAIN, uses: true },
} as const satisfies Record<string, Asked>

/** An account, or an address that may become one, with what its owner knows. */
export interface Account {
  readonly name: string
  email: string
  /** The address to which it moves. */
  target: string
  password: string
  next: Step
  /** The tokens of all mails of the last step, those that were replaced included. */
  tokens: string[]
  /** Whether there is a user. */
  exists: boolean
  refreshToken: string | undefined
  accessToken: string | undefined
  deviceToken: string | undefined
  /** How many mails its address may have been sent. There is a daily limit. */
  mailed: number
  /** Makes passwords and addresses different. */
  round: number
}

export interface MailWorld {
  readonly run: Run
  readonly databaseUrl: string
  readonly mailbox: Mailbox
  readonly urls: readonly string[]
  adminToken: string
}

/** A step under fire, with the responses. */
export interface Act {
  readonly account: Account
  readonly step: Step
  readonly from: { readonly email: string; readonly hash: unknown }
  readonly tried: { readonly token: string | undefined; readonly password: string; readonly reply: Reply | 'lost' }[]
  /** For a step that uses a link: whether it had its effect in the end. */
  effect: boolean
}

/** Sent at most, with retries: the limit of mails to one address in 15 minutes. */
const MOST_TRIES = 3

/** Carries out the next step of an account while servers are killed. */
export async function begin(world: MailWorld, account: Account): Promise<Act> {
  const { run, urls } = world
  const { random } = run
  const step = account.next
  const { accepted } = STEPS[step]
  const from = { email: account.email, hash: (await userOf(world, account.email))?.password_hash }
  const act: Act = { account, step, from, tried: [], effect: false }
  let budget = MOST_TRIES
  const lane = async () => {
    await delay(random.below(300))
    while (budget > 0) {
      budget -= 1
      account.round += 1
      const token = account.tokens.length > 0 ? random.pick(account.tokens) : undefined
      const password = step === 'reset' ? `another password, ${account.name} ${account.round}` : account.password
      const reply = await send(world, random.pick(urls), act, { token, password })
      act.tried.push({ token, password, reply })
      if (reply !== 'lost' && reply.status !== 503) return
      run.count(reply === 'lost' ? 'replies lost' : 'replies 503')
      await delay(100 + random.below(300))
    }
  }
  await Promise.all(Array.from({ length: 1 + random.below(MOST_TRIES) }, lane))
  for (const { reply } of act.tried) {
    const foreseen = reply === 'lost' || reply.status === accepted || reply.status === 503
    // Twelve hours of requests for one address are counted, and those with a lost reply as well.
    const isCounted = step === 'forget' || step === 'sign-up'
    const tooMany = isCounted && reply !== 'lost' && reply.body.code === 'too_many_attempts'
    if (tooMany) run.count(`${step}: too many attempts`)
    const usedUp = STEPS[step].uses && reply !== 'lost' && isRefusal(reply)
    run.check(foreseen || tooMany || usedUp, `${step} of ${account.name} got ${toldOf(reply)}`)
  }
  run.count(`${step}: acknowledged`, acknowledged(act).length)
  return act
}

function send(
  { run, adminToken }: MailWorld,
  url: string,
  { account, step }: Act,
  { token, password }: { token: string | undefined; password: string },
): Promise<Reply | 'lost'> {
  const { email, target } = account
  const bodies: Record<Step, object> = {
    'sign-up': { email, password },
    invite: { email, roles: ['teacher'] },
    forget: { email },
    move: { email: target, password },
    confirm: { token },
    accept: { invitation: token, password },
    reset: { token, password },
    'confirm-move': { token },
  }
  const bearer = step === 'invite' ? adminToken : step === 'move' ? account.accessToken : undefined
  return post(url, STEPS[step].path, bodies[step], { ip: someAddress(run.random), token: bearer })
}

/** Refused because the token was used, or because another sign-up has got the address. */
function isRefusal({ body }: Reply): boolean {
  return body.code === 'one_time_token_invalid' || body.code === 'email_taken'
}

function acknowledged({ tried, step }: Act): Act['tried'] {
  return tried.filter(({ reply }) => reply !== 'lost' && reply.status === STEPS[step].accepted)
}

/** Compares what new servers know with what the clients were told, and chooses the next step. */
export async function settle(world: MailWorld, act: Act, mails: readonly Received[]): Promise<void> {
  const { account, step } = act
  if (STEPS[step].uses) await settleUse(world, act)
  else await settleRequest(world, act, mails)
  if (account.exists && account.refreshToken === undefined) await logIn(world, account)
}

/** Each accepted request has led to a mail, and of the links that replace each other one works. */
async function settleRequest({ run, databaseUrl }: MailWorld, act: Act, mails: readonly Received[]): Promise<void> {
  const { account, step, tried } = act
  const { page, next } = STEPS[step]
  const address = step === 'move' ? account.target : account.email
  const found = mails.filter((mail) => mail.to === address && tokenIn(mail, page) !== undefined)
  const different = new Set(found.map(idOf)).size
  const told = acknowledged(act).length
  run.check(told <= different, `${step} of ${account.name}: ${told} acknowledged, ${different} mails delivered`)
  run.check(different <= tried.length, `${step} of ${account.name}: ${tried.length} sent, ${different} mails delivered`)
  account.mailed += tried.length
  if (found.length === 0) return
  account.tokens = found.map((mail) => tokenIn(mail, page) as string)
  // Two sign-ups are different people until one of them answers, each with a link of their own.
  const expected = step === 'sign-up' ? different : 1
  const live = await liveTokens(databaseUrl, account.tokens)
  run.check(live === expected, `${step} of ${account.name}: ${live} links work instead of ${expected}`)
  run.count('links that were replaced', account.tokens.length - live)
  account.next = next[0]
}

/** A token has its effect once: completely or not at all, and certainly if that was the reply. */
async function settleUse(world: MailWorld, act: Act): Promise<void> {
  const { run } = world
  const { account, step } = act
  const name = `${step} of ${account.name}`
  const told = acknowledged(act)
  run.check(told.length <= 1, `${name}: acknowledged ${told.length} times`)
  act.effect = await hadEffect(world, act)
  run.check(told.length === 0 || act.effect, `${name}: acknowledged without effect`)
  if (!act.effect) await useNow(world, act)
  else if (told.length === 0) run.count('uses of links with a lost reply that had their effect')
  if (!act.effect) return
  account.exists = true
  if (step === 'confirm-move') Object.assign(account, { email: account.target, mailed: 0 })
  for (const token of new Set(account.tokens)) {
    const reply = await send(world, world.urls[0] as string, act, { token, password: account.password })
    run.check(reply !== 'lost' && isRefusal(reply), `${name}: a link that was used or replaced got ${toldOf(reply)}`)
    run.count('used or replaced links presented again')
  }
  if (step === 'reset') await settleReset(world, act)
  if (step !== 'confirm-move' || account.refreshToken === undefined) await logIn(world, account)
  account.tokens = []
  account.target = `${account.name}-${account.round}@example.com`
  account.next = run.random.pick<Step>(STEPS[step].next)
}

async function hadEffect(world: MailWorld, { account, step, from }: Act): Promise<boolean> {
  if (step === 'reset') return (await userOf(world, account.email))?.password_hash !== from.hash
  if (step !== 'confirm-move') return (await userOf(world, account.email)) !== undefined
  const moved = (await userOf(world, account.target)) !== undefined
  const left = (await userOf(world, from.email)) === undefined
  world.run.check(moved === left, `${account.name} has ${moved ? 'two addresses' : 'no address'}`)
  return moved
}

/** Without an effect nothing has changed: the sessions are live, and one of the links works. */
async function useNow(world: MailWorld, act: Act): Promise<void> {
  const { run, urls } = world
  const { account, step, tried } = act
  if (account.refreshToken !== undefined) {
    const reply = await refresh(world, account)
    run.check(reply !== 'lost' && reply.status === 200, `${account.name}: ${step} without effect ended a session`)
    if (reply !== 'lost') account.refreshToken = reply.body.refresh_token
  }
  const { password } = account
  for (const token of new Set(account.tokens)) {
    const fresh = step === 'reset' ? `late password of ${account.name}, ${account.round}` : password
    const reply = await send(world, urls[0] as string, act, { token, password: fresh })
    tried.push({ token, password: fresh, reply })
    if (reply !== 'lost' && reply.status === STEPS[step].accepted) break
  }
  act.effect = await hadEffect(world, act)
  run.check(act.effect, `${step} of ${account.name}: had no effect, and no link works any more`)
  run.count('uses of links without a reply that were repeated')
}

/** A new password, the end of all sessions and the end of the token are one transaction. */
async function settleReset(world: MailWorld, act: Act): Promise<void> {
  const { run } = world
  const { account, tried } = act
  const reply = await refresh(world, account)
  const ended = reply !== 'lost' && reply.status === 400
  run.check(ended, `${account.name}: after a reset an old session got ${toldOf(reply)}`)
  const old = account.password
  const told = acknowledged(act).map(({ password }) => password)
  for (const password of told.length > 0 ? told : tried.map((one) => one.password)) {
    account.password = password
    if (await logIn(world, account, told.length > 0)) return
  }
  run.check(false, `${account.name}: no password of a reset works`)
  account.password = old
}

function refresh({ run, urls }: MailWorld, { refreshToken }: Account): Promise<Reply | 'lost'> {
  return post(urls[0] as string, '/refresh', { refresh_token: refreshToken }, { ip: someAddress(run.random) })
}

/** Logs in, from a known device if there was a log-in before. */
export async function logIn({ run, urls }: MailWorld, account: Account, required = true): Promise<boolean> {
  const { email, password, deviceToken } = account
  const json = { email, password, ...(deviceToken !== undefined && { device_token: deviceToken }) }
  const reply = await post(urls[0] as string, '/login', json, { ip: someAddress(run.random) })
  const isIn = reply !== 'lost' && reply.status === 200
  run.check(isIn || !required, `${account.name}: a log-in got ${toldOf(reply)}`)
  if (!isIn) return false
  const { refresh_token: refreshToken, access_token: accessToken, device_token } = reply.body
  Object.assign(account, { refreshToken, accessToken, deviceToken: device_token ?? deviceToken })
  return true
}

async function userOf({ databaseUrl }: MailWorld, email: string): Promise<Record<string, unknown> | undefined> {
  return (await rows(databaseUrl, 'email, password_hash', 'users')).find((row) => row.email === email)
}
