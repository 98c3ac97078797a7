import { GROWING, LONGEST_WAIT } from '../src/throttling/limits.ts'
import { PASSWORD } from '../test/server.ts'
import { type Attack, atLeast, atMost, exactly } from './attack.ts'
import { OWNER, startEmbedded, WRONG } from './embedded.ts'

const STEP_MS = 5000

/** Networks that guess at one account without a pause while its owner buys a new phone. */
export const newDevice: Attack = {
  name: 'new-device',
  description: '40 networks guess at one account every five seconds for an hour; the owner has a new device',
  async run(place, store, scale) {
    await using server = await startEmbedded(place, store)
    const networks = Math.max(5, Math.round(40 * scale))
    const owner = await server.login('198.51.100.7', OWNER, PASSWORD)
    let checked = 0
    let elsewhere = 0
    const attackFor = async (milliseconds: number) => {
      for (const end = server.clock.time + milliseconds; server.clock.time < end; server.clock.time += STEP_MS) {
        for (let i = 0; i < networks; i += 1) {
          const { status } = await server.login(`10.2.${i}.7`, OWNER, WRONG)
          if (status === 401) checked += 1
          if (status !== 401 && status !== 429) elsewhere += 1
        }
      }
    }
    const hour = scale === 1 ? 3_600_000 : 600_000
    await attackFor(hour / 2)
    const known = await server.login('192.0.2.1', OWNER, PASSWORD, owner.deviceToken)
    const asked = server.clock.time
    let login = await server.login('203.0.113.9', OWNER, PASSWORD)
    for (let tries = 0; login.status === 429 && tries < 100; tries += 1) {
      await attackFor(login.retryAfter * 1000)
      login = await server.login('203.0.113.9', OWNER, PASSWORD)
    }
    const waited = (server.clock.time - asked) / 1000
    await attackFor(hour / 2)
    return [
      atLeast('guesses checked', checked, 10),
      atMost('guesses checked', checked, 10 + Math.ceil((hour + waited * 1000) / GROWING.account.most)),
      exactly('replies other than 401 and 429', elsewhere, 0),
      exactly('the owner on a known device: status', known.status, 200),
      exactly('the owner on a new device: status', login.status, 200),
      atMost('the owner on a new device: wait', waited, LONGEST_WAIT / 1000, ' s'),
    ]
  },
}
