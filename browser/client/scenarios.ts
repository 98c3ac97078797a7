import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import type { Fault } from '../../packages/client/test/faulty-proxy.ts'
import { ADA, GRACE } from '../../packages/client/test/place.ts'
import { DAY, type Lane, MINUTE } from './lane.ts'
import type { Random } from './random.ts'

/** A round: the user is logged in, in all tabs. */
export interface Round {
  readonly lane: Lane
  readonly random: Random
  /** The address of the user who is logged in; undefined if nobody is. */
  user: string | undefined
  /** Counts something for the report. */
  count(what: string, times?: number): void
}

/** Something that happens to tabs, after which the user must still be logged in. */
export type Scenario = (round: Round) => Promise<void>

const act = (tab: Page) => tab.evaluate(() => globalThis.tab.act())

/** The longest pause of the client before the second attempt, when the server asks for 1 s. */
const SECOND_ATTEMPT_MS = 2000

/**
 * Ends a disturbance. A request may join a refresh that was sent before that and fails; the next
 * one may not. A refresh ahead of expiry, for which no request waits, pauses before its second
 * attempt: if a scenario moved the clock during that attempt, it would seem to take a minute.
 */
async function calm(round: Round): Promise<void> {
  round.lane.disturb()
  await delay(SECOND_ATTEMPT_MS)
  await use(round)
}

/** Several tabs use the API at once. What they get does not matter here. */
async function use({ lane, random }: Round): Promise<void> {
  const times = random.whole(1, 5)
  await lane.all((tab) => tab.evaluate((count) => globalThis.tab.actTogether(count), times))
}

const wakeAtOnce: Scenario = async (round) => {
  await round.lane.pass(round.random.whole(1, 3) * DAY, round.random.chance(0.5))
  await use(round)
}

const workForAnHour: Scenario = async ({ lane, random }) => {
  for (let i = 0; i < 6; i += 1) {
    await lane.pass(random.whole(1, 17) * MINUTE)
    await act(random.pick(lane.tabs))
  }
}

const refreshAheadOfExpiry: Scenario = async (round) => {
  await round.lane.pass(round.random.whole(680, 800) * 1000)
  await use(round)
}

const loseReplies: Scenario = async (round) => {
  const { lane, random } = round
  await lane.pass(random.whole(16, 600) * MINUTE, random.chance(0.5))
  const faults: Fault[] = ['no reply', 'no request', 'no reply', { hold: 200 }]
  lane.disturb((path) =>
    (path === '/refresh' || path === '/refresh/confirm') && random.chance(0.4) ? random.pick(faults) : undefined,
  )
  await use(round)
  await calm(round)
}

const loseAllRepliesForHours: Scenario = async (round) => {
  const { lane, random } = round
  await lane.pass(random.whole(16, 60) * MINUTE)
  lane.disturb((path) => (path === '/refresh' ? 'no reply' : undefined))
  await use(round)
  await lane.pass(random.whole(1, 10) * 60 * MINUTE)
  await use(round)
  await calm(round)
}

const setClocksWrong: Scenario = async (round) => {
  const { lane, random } = round
  const wall = random.pick([-1, 1]) * 60 * MINUTE
  await lane.all((tab) => tab.evaluate((by) => globalThis.tab.move({ wall: by }), wall))
  await use(round)
  await lane.pass(random.whole(16, 60) * MINUTE)
  await use(round)
  await lane.all((tab) => tab.evaluate((by) => globalThis.tab.move({ wall: by }), -wall))
}

const OUTAGES: readonly Fault[] = [
  'no request',
  { status: 503, headers: { 'Content-Type': 'text/html' }, body: '<h1>Service unavailable</h1>' },
  { status: 502 },
  { status: 429, headers: { 'Retry-After': '30' } },
  { status: 503, headers: { 'Retry-After': '1' }, body: '{"code":"temporarily_unavailable"}' },
  { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<h1>Log in to the network of our hotel</h1>' },
  { status: 403, body: '{"code":"csrf_failed"}' },
]

const stopServer: Scenario = async (round) => {
  const { lane, random } = round
  const outage = random.pick(OUTAGES)
  await lane.pass(random.whole(12, 20) * MINUTE)
  lane.disturb((path) => (path === '/page' ? undefined : outage))
  await use(round)
  await lane.pass(MINUTE)
  if (random.chance(0.3)) await lane.show(random.pick(lane.tabs))
  await use(round)
  await calm(round)
  await lane.pass(MINUTE)
}

const goOffline: Scenario = async (round) => {
  const { lane, random } = round
  await lane.pass(random.whole(12, 600) * MINUTE, random.chance(0.5))
  await lane.context.setOffline(true)
  await use(round)
  await lane.context.setOffline(false)
  await calm(round)
}

const reloadTabs: Scenario = async ({ lane, random }) => {
  await lane.pass(random.whole(0, 20) * MINUTE)
  await Promise.all([lane.show(random.pick(lane.tabs)), lane.openTab()])
}

const closeWhileRefreshing: Scenario = async ({ lane, random }) => {
  await lane.pass(random.whole(16, 60) * MINUTE)
  const tab = await lane.openTab()
  lane.disturb((path) => (path === '/refresh' ? { hold: 100 } : undefined))
  void act(tab).catch(() => {})
  await delay(random.whole(0, 150))
  await lane.setTabs(lane.tabs.length - 1)
  lane.disturb()
}

const goBack: Scenario = async (round) => {
  const { lane, random } = round
  const tab = random.pick(lane.tabs)
  const before = await tab.evaluate(() => globalThis.tab.restored())
  await tab.goto(`${lane.place.url}/elsewhere`)
  lane.place.clock.ahead += random.whole(1, 24 * 60) * MINUTE
  await Promise.all(lane.tabs.filter((other) => other !== tab && random.chance(0.5)).map(act))
  await tab.goBack({ waitUntil: 'commit' })
  await tab.waitForFunction(() => globalThis.tab !== undefined)
  const after = await tab.evaluate(() => globalThis.tab.restored())
  round.count(after > before ? 'pages back from the back-forward cache' : 'pages back without the cache')
}

const freeze: Scenario = async (round) => {
  const { lane, random } = round
  const tab = random.pick(lane.tabs)
  const session = await lane.context.newCDPSession(tab)
  await lane.pass(random.whole(16, 60) * MINUTE)
  const { promise, resolve: release } = Promise.withResolvers<void>()
  let held = false
  lane.disturb((path) => {
    if (path !== '/refresh' || held) return undefined
    held = true
    return { hold: promise }
  })
  void act(tab).catch(() => {})
  while (!held) await delay(5)
  await session.send('Page.setWebLifecycleState', { state: 'frozen' })
  release()
  // A page that is not really frozen yet processes the reply now. One that is frozen does not.
  await delay(500)
  const others = lane.tabs.filter((other) => other !== tab)
  for (let i = 0; i < 3; i += 1) {
    // The clocks of the frozen tab go on, too.
    await lane.pass(16 * MINUTE)
    await Promise.all(others.map(act))
  }
  await session.send('Page.setWebLifecycleState', { state: 'active' })
  await session.detach()
  lane.disturb()
}

const changeRoles: Scenario = async (round) => {
  const { lane, random } = round
  for (let i = 0; i < 3; i += 1) {
    await lane.pass(random.whole(20, 90) * 1000)
    const { id } = (await round.lane.tabs[0]?.evaluate(() => globalThis.tab.client.me())) ?? { id: '' }
    await lane.place.auth.users.setRoles(id, [random.pick(['student', 'teacher', 'guest'])])
    await use(round)
  }
}

const fillStorage: Scenario = async (round) => {
  const { lane, random } = round
  const tab = random.pick(lane.tabs)
  await tab.evaluate(() => globalThis.tab.fill())
  for (let i = 0; i < 2; i += 1) {
    await lane.pass(random.whole(16, 60) * MINUTE)
    await use(round)
  }
  await tab.evaluate(() => globalThis.tab.empty())
}

/** In one tab, which cannot share its session then. */
const denyStorage: Scenario = async ({ lane, random }) => {
  const tab = random.pick(lane.tabs)
  await tab.evaluate(() => globalThis.tab.deny(true))
  await lane.pass(random.whole(16, 60) * MINUTE)
  await act(tab)
  await tab.evaluate(() => globalThis.tab.deny(false))
}

const logInAsAnother: Scenario = async (round) => {
  const { lane, random } = round
  const next = round.user === ADA.email ? GRACE : ADA
  await lane.pass(random.whole(0, 20) * MINUTE)
  // Tabs that cannot hear each other cannot know that a late reply would replace the new cookie.
  const mayBeLate = lane.kind.mode === 'token' || !lane.kind.silent
  if (mayBeLate && random.chance(0.5)) {
    lane.disturb((path) => (path === '/refresh' ? { hold: random.whole(0, 300) } : undefined))
  }
  const [tab, ...others] = lane.tabs
  const busy = others.map((other) => act(other))
  await delay(random.whole(0, 50))
  await tab?.evaluate((credentials) => globalThis.tab.client.login(credentials), next)
  await Promise.all(busy)
  lane.disturb()
  round.user = next.email
}

/** All scenarios, by the name in the report. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'tabs that wake at once after days': wakeAtOnce,
  'an hour of work': workForAnHour,
  'a refresh ahead of expiry': refreshAheadOfExpiry,
  'lost replies': loseReplies,
  'all replies lost for hours': loseAllRepliesForHours,
  'a clock that is an hour wrong': setClocksWrong,
  'a server that is away': stopServer,
  'a browser that is offline': goOffline,
  'tabs that are opened and reloaded': reloadTabs,
  'a tab that is closed while it refreshes': closeWhileRefreshing,
  'a page that comes back': goBack,
  'a tab that is frozen while it refreshes': freeze,
  'roles that change': changeRoles,
  'a full storage': fillStorage,
  'a storage that is forbidden': denyStorage,
  'a log-in as another user': logInAsAnother,
}

/** Logs out in one tab while others work. */
export async function logOut(round: Round): Promise<void> {
  const { lane, random } = round
  await lane.pass(random.whole(0, 20) * MINUTE)
  const [tab, ...others] = lane.tabs
  const busy = others.map((other) => act(other))
  await delay(random.whole(0, 30))
  await tab?.evaluate((scope) => globalThis.tab.client.logout({ scope }), random.pick(['current', 'all'] as const))
  await Promise.all(busy)
  round.user = undefined
}
