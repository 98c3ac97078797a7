import type { Page } from 'playwright-core'
import { ADA } from '../../packages/client/test/place.ts'
import type { Suite } from '../suite.ts'
import { type Kind, type Lane, openLane } from './lane.ts'
import { createRandom, type Random } from './random.ts'
import { logOut, type Round, SCENARIOS } from './scenarios.ts'

/** Each has a server and a browser profile of its own; while one waits, another one works. */
const KINDS: readonly Kind[] = [
  { mode: 'cookie', silent: false },
  { mode: 'token', silent: false },
  { mode: 'cookie', silent: true },
  { mode: 'token', silent: true },
]
/** A profile is used for so many rounds. */
const ROUNDS_PER_PROFILE = 10
const MOST_SHOWN = 10

/** The client in pages of a real browser: nobody is logged out by accident. */
export const client: Suite = {
  name: 'client',
  async run(browser, { rounds, seed, short, print }) {
    const counts = new Map<string, number>()
    const count = (what: string, times = 1) => void counts.set(what, (counts.get(what) ?? 0) + times)
    const violations: string[] = []
    const seeds = Array.from({ length: rounds }, (_, i) => seed + i)
    await Promise.all(
      KINDS.map(async (kind, index) => {
        const own = seeds.filter((one) => one % KINDS.length === index)
        if (own.length === 0) return
        await using lane = await openLane(browser, kind)
        for (const [played, one] of own.entries()) {
          const profile = Math.floor(played / ROUNDS_PER_PROFILE)
          const withProofs = (index + profile) % 2 === 1
          if (played % ROUNDS_PER_PROFILE === 0) await lane.start(withProofs)
          if (withProofs) count('rounds with proofs')
          violations.push(
            ...(await playRound(lane, createRandom(one), count, short)).map((what) => `seed ${one}: ${what}`),
          )
        }
      }),
    )
    for (const [what, times] of [...counts].sort(([, a], [, b]) => b - a))
      print(`${String(times).padStart(8)}  ${what}`)
    for (const violation of violations.slice(0, MOST_SHOWN)) print(`VIOLATION  ${violation}`)
    const seedsOf = new Set(violations.map((violation) => violation.split(':')[0]))
    if (violations.length > MOST_SHOWN) print(`VIOLATIONS in all of ${[...seedsOf].join(', ')}`)
    if (violations.length > 0) throw new Error(`${violations.length} violations`)
    print(`       0  false log-outs in ${rounds} rounds, seed ${seed}`)
  },
}

/** A log-in, some scenarios, and a log-out. Returns what was wrong. */
async function playRound(lane: Lane, random: Random, count: Round['count'], short: boolean): Promise<string[]> {
  const round: Round = { lane, random, user: ADA.email, count }
  const violations: string[] = []
  const story: string[] = []
  const note = (what: string) =>
    violations.push(`${lane.kind.mode}${lane.kind.silent ? ' silent' : ''}: ${[...story, what].join(' > ')}`)
  lane.disturb()
  try {
    await lane.setTabs(short ? 4 : random.chance(0.15) ? 20 : random.whole(2, 6))
    await lane.tabs[0]?.evaluate((credentials) => globalThis.tab.client.login(credentials), ADA)
    for (const what of await check(round, true)) note(what)
    for (let i = random.whole(2, 4); i > 0; i -= 1) {
      const name = random.pick(Object.keys(SCENARIOS))
      story.push(name)
      const { user } = round
      await SCENARIOS[name]?.(round)
      count(name)
      for (const what of await check(round, user !== round.user)) note(what)
    }
    if (random.chance(0.5)) {
      story.push('a log-out')
      await logOut(round)
      count('a log-out in one tab')
      for (const what of await check(round, true)) note(what)
    }
  } catch (error) {
    note(String(error))
  }
  count(`rounds in ${lane.kind.mode} mode`)
  if (violations.length > 0)
    violations.unshift(`${new Date().toISOString()}, the server: ${await describeEvents(lane)}`)
  return violations
}

/**
 * Checks that every tab is of the same mind, and that none was told that the user has been logged
 * out. After a log-in or log-out they may need a moment.
 */
async function check({ lane, user, count }: Round, changed: boolean): Promise<string[]> {
  count('tabs checked', lane.tabs.length)
  const found = await lane.all(async (tab) => {
    const result = await settle(tab, user ?? 'logged_out', changed ? 20 : 0)
    const heard = await tab.evaluate(() => globalThis.tab.heard.splice(0))
    if (result !== (user ?? 'logged_out')) return `requests: ${result}, in the storage: ${await describeStorage(tab)}`
    if (!changed && heard.includes(null)) return `heard: ${JSON.stringify(heard)}`
    return undefined
  })
  return found.filter((what) => what !== undefined)
}

/** The last events of the audit log, which say why a session ended. */
async function describeEvents({ place }: Lane): Promise<string> {
  const { data } = await place.auth.audit.list({ limit: 8 })
  return data.map(({ type, sessionId, data: details }) => `${type} ${sessionId} ${JSON.stringify(details)}`).join('; ')
}

/** What a tab reads in the storage: which sessions, and whether it is full. */
function describeStorage(tab: Page): Promise<string> {
  return tab.evaluate(() => {
    const entries = Object.entries(localStorage).filter(([key]) => !key.startsWith('fill'))
    const shown = entries.map(([key, value]) => `${key} = ${value.startsWith('sw') ? value.slice(0, 4) : value}`)
    return `${shown.join(', ')}; ${localStorage.length - entries.length} that fill it`
  })
}

/** What a request gets, in the end. */
async function settle(tab: Page, expected: string, attempts: number): Promise<string> {
  const result = await tab.evaluate(() => globalThis.tab.act())
  if (result === expected || attempts === 0) return result
  await tab.waitForTimeout(100)
  return settle(tab, expected, attempts - 1)
}
