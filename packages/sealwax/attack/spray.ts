import { STEADY } from '../src/throttling/limits.ts'
import { PASSWORD } from '../test/server.ts'
import { startServer } from '../torture/servers.ts'
import { type Attack, atLeast, atMost, ownerResults } from './attack.ts'
import { OWNER, WRONG } from './embedded.ts'
import { type OwnerLogin, startOwner } from './owner.ts'
import { post, warmUp } from './proxied.ts'

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
    const settings = { SEALWAX_TRUST_PROXY: '1' }
    const databaseUrl = await place.database(store)
    // A process of its own: the attackers do not share its event loop.
    await using server = await startServer({ databaseUrl, program: 'embedding', settings })
    const networks = Math.max(2, Math.round(100 * scale))
    const minutes = scale === 1 ? 10 : 3
    await warmUp(server.url)
    const registered = await post(`${server.url}/register`, '198.51.100.7', { email: OWNER, password: PASSWORD })
    const credentials = { email: OWNER, password: PASSWORD, device_token: registered.deviceToken }
    const owner = await startOwner({ url: server.url, ip: '203.0.113.9', credentials })
    let accounts = 0
    let checked = 0
    const spraying = async (network: number) => {
      for (;;) {
        accounts += 1
        const guess = { email: `user-${accounts % ACCOUNTS}@example.com`, password: WRONG }
        const { status } = await post(`${server.url}/login`, `10.1.${network}.7`, guess)
        if (status === 401) checked += 1
        if (status === 429) return
      }
    }
    let logins: readonly OwnerLogin[] = []
    const counts: number[] = []
    for (let minute = 0; minute <= minutes; minute += 1) {
      if (minute === 0) owner.begin()
      // The attacker never waits longer than necessary.
      const all = Array.from({ length: AT_ONCE }, () => Array.from({ length: networks }, (_, i) => spraying(i)))
      await Promise.all(all.flat())
      if (minute === 0) logins = await owner.end()
      counts.push(checked)
      await server.setClock((minute + 1) * 60_000)
    }
    const [first = 0] = counts
    const most = networks * (BURST + AT_ONCE + minutes * PER_MINUTE)
    return [
      atLeast('guesses checked in the first minute', first, networks * BURST),
      atMost('guesses checked in the first minute', first, networks * (BURST + AT_ONCE)),
      atMost(`guesses checked after ${minutes} more minutes`, checked, most),
      ...ownerResults(logins, scale),
    ]
  },
}
