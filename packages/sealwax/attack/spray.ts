import { STEADY } from '../src/throttling/limits.ts'
import { PASSWORD } from '../test/server.ts'
import { type Attack, atLeast, atMost, exactly, mostMilliseconds } from './attack.ts'
import { OWNER, startEmbedded, WRONG } from './embedded.ts'

const ACCOUNTS = 10_000
const BURST = STEADY.address.burst
const PER_MINUTE = 60_000 / STEADY.address.every
/**
 * The last guesses of a burst are checked at the same time, before the first of them is known to
 * be wrong. So few are paid for later, and exceed the limit once.
 */
const AT_ONCE = 4

/** One guess at each of many accounts. */
export const spray: Attack = {
  name: 'spray',
  description: 'guesses at 10,000 accounts in turn, from 100 networks, for ten minutes',
  async run(place, store, scale) {
    await using server = await startEmbedded(place, store)
    const networks = Math.max(2, Math.round(100 * scale))
    const minutes = scale === 1 ? 10 : 3
    const owner = await server.login('198.51.100.7', OWNER, PASSWORD)
    let accounts = 0
    let checked = 0
    const spraying = async (network: number) => {
      for (;;) {
        accounts += 1
        const { status } = await server.login(`10.1.${network}.7`, `user-${accounts % ACCOUNTS}@example.com`, WRONG)
        if (status === 401) checked += 1
        if (status === 429) return
      }
    }
    const login = { status: 0, took: 0 }
    const loggingIn = async () => {
      const started = performance.now()
      login.status = (await server.login('203.0.113.9', OWNER, PASSWORD, owner.deviceToken)).status
      login.took = Math.round(performance.now() - started)
    }
    const counts: number[] = []
    for (let minute = 0; minute <= minutes; minute += 1) {
      // The attacker never waits longer than necessary.
      const all = Array.from({ length: AT_ONCE }, () => Array.from({ length: networks }, (_, i) => spraying(i)))
      await Promise.all([...all.flat(), minute === 0 && loggingIn()])
      counts.push(checked)
      server.clock.time += 60_000
    }
    const [first = 0] = counts
    const most = networks * (BURST + AT_ONCE + minutes * PER_MINUTE)
    return [
      atLeast('guesses checked in the first minute', first, networks * BURST),
      atMost('guesses checked in the first minute', first, networks * (BURST + AT_ONCE)),
      atMost(`guesses checked after ${minutes} more minutes`, checked, most),
      exactly('the owner on a known device: status', login.status, 200),
      atMost('the owner on a known device: time', login.took, mostMilliseconds(scale), ' ms'),
    ]
  },
}
