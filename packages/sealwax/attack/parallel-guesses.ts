import { PASSWORD } from '../test/server.ts'
import { startServers } from '../torture/servers.ts'
import { type Attack, atLeast, atMost, ownerResults } from './attack.ts'
import { OWNER, WRONG } from './embedded.ts'
import { startOwner } from './owner.ts'
import { post, warmUp } from './proxied.ts'

const FROM_NETWORKS = 100

/** Sends guesses again while the server says that it is overloaded: then they were not counted. */
async function guess(url: string, ip: string): Promise<number> {
  for (;;) {
    const { status } = await post(`${url}/login`, ip, { email: OWNER, password: WRONG })
    if (status !== 503) return status
  }
}

/** Many guesses at one account at the same time. */
export const parallelGuesses: Attack = {
  name: 'parallel-guesses',
  description: '1,000 parallel guesses at one account, from 100 networks, at two servers on one store',
  async run(place, store, scale) {
    const settings = { SEALWAX_TRUST_PROXY: '1' }
    const databaseUrl = await place.database(store)
    await using fleet = await startServers(2, { databaseUrl, program: 'sealwax', settings })
    const [first, second] = fleet.urls as [string, string]
    await Promise.all(fleet.urls.map(warmUp))
    const { deviceToken } = await post(`${first}/register`, '198.51.100.7', { email: OWNER, password: PASSWORD })
    // From another network than at the registration.
    const credentials = { email: OWNER, password: PASSWORD, device_token: deviceToken }
    const owner = await startOwner({ url: second, ip: '203.0.113.9', credentials })
    owner.begin()
    const guesses = Array.from({ length: Math.round(1000 * scale) }, (_, i) =>
      guess(i % 2 === 0 ? first : second, `10.0.${i % FROM_NETWORKS}.${i % 250}`),
    )
    const statuses = await Promise.all(guesses)
    const logins = await owner.end()
    const checked = statuses.filter((status) => status === 401).length
    const refused = statuses.filter((status) => status === 429).length
    return [
      atMost('guesses whose password was checked', checked, 10),
      atLeast('guesses refused with 429', refused, statuses.length - 10),
      ...ownerResults(logins, scale),
    ]
  },
}
