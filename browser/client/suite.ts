import type { Page } from 'playwright-core'
import { ADA } from '../../packages/client/test/place.ts'
import type { Suite } from '../suite.ts'
import { type Kind, type Lane, openLane } from './lane.ts'
import { createRandom, type Random } from './random.ts'
import { logOut, type Round, SCENARIOS } from './scenarios.ts'

/** How many servers with tabs there are: while one waits, another one works. */
const LANES = 4
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
    let next = 0
    await Promise.all(
      Array.from({ length: Math.min(LANES, rounds) }, async () => {
        await using lane = await openLane(browser)
        for (let played = 0; next < rounds; played += 1) {
          const own = seed + next
          next += 1
          const random = createRandom(own)
          if (played % ROUNDS_PER_PROFILE === 0) await lane.start(pickKind(random))
          violations.push(...(await playRound(lane, random, count, short)).map((what) => `seed ${own}: ${what}`))
        }
      }),
    )
    for (const [what, times] of [...counts].sort(([, a], [, b]) => b - a))
      print(`${String(times).padStart(8)}  ${what}`)
    for (const violation of violations.slice(0, MOST_SHOWN)) print(`VIOLATION  ${violation}`)
    if (violations.length > 0) throw new Error(`${violations.length} violations`)
    print(`       0  false log-outs in ${rounds} rounds, seed ${seed}`)
  },
}

function pickKind(random: Random): Kind {
  return { mode: random.pick(['cookie', 'token']), silent: random.chance(0.25) }
}

/** A log-in, some scenarios, and a log-out. Returns what was wrong. */
async function playRound(lane: Lane, random: Random, count: Round['count'], short: boolean): Promise<string[]> {
  const round: Round = { lane, random, user: ADA.email, count }
  const violations: string[] = []
  const story: string[] = []
  const note = (what: string) =>
    violations.push(`${lane.kind.mode}${lane.kind.silent ? ' silent' : ''}: ${[...story, what].join(' > ')}`)
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
    if (result !== (user ?? 'logged_out')) return `requests: ${result}`
    if (!changed && heard.includes(null)) return `heard: ${JSON.stringify(heard)}`
    return undefined
  })
  return found.filter((what) => what !== undefined)
}

/** What a request gets, in the end. */
async function settle(tab: Page, expected: string, attempts: number): Promise<string> {
  const result = await tab.evaluate(() => globalThis.tab.act())
  if (result === expected || attempts === 0) return result
  await tab.waitForTimeout(100)
  return settle(tab, expected, attempts - 1)
}
