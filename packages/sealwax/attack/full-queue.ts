import { type Attack, atLeast, atMost, exactly } from './attack.ts'
import { startEmbedded, WRONG } from './embedded.ts'

/** A quarter of the places for passwords: 100 that wait, and one for each core. */
const QUARTER = 25
/** How many other networks log in. With the quarter they are fewer than there are places. */
const OTHERS = 70
/** With the others, fewer than the 511 connections that a socket lets wait. */
const FLOOD = 400

/** One network that tries to occupy every place in the queue for passwords. */
export const fullQueue: Attack = {
  name: 'full-queue',
  description: 'one network sends 400 log-ins at once while one user in each of 70 networks logs in',
  async run(place, store, scale) {
    await using server = await startEmbedded(place, store)
    const flood = Math.max(200, Math.round(FLOOD * scale))
    let waiting = OTHERS
    let checked = 0
    const others = Array.from({ length: OTHERS }, async (_, i) => {
      const { status } = await server.login(`10.4.${i}.7`, `other-${i}@example.com`, WRONG)
      waiting -= 1
      return status
    })
    const flooding = Array.from({ length: flood }, async (_, i) => {
      const { status } = await server.login(`10.5.0.${i % 250}`, `flood-${i}@example.com`, WRONG)
      if (status === 401 && waiting > 0) checked += 1
      return status
    })
    const [served, refused] = await Promise.all([Promise.all(others), Promise.all(flooding)])
    return [
      atMost('of the flood, checked while others waited', checked, QUARTER),
      atLeast('of the flood, refused', refused.filter((status) => status !== 401).length, flood / 2),
      exactly('of the 70 others, checked', served.filter((status) => status === 401).length, OTHERS),
    ]
  },
}
