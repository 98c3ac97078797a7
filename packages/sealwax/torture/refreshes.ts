import { setImmediate as turn } from 'node:timers/promises'
import type { TokenResponse } from '../src/index.ts'
import { ask, BROWSER, told } from './http.ts'
import { audited, openAuth } from './open.ts'
import type { Place, StoreName } from './place.ts'
import type { Run, Times } from './run.ts'
import { startServers } from './servers.ts'

const ROUNDS: Times = { full: 1000, short: 4 }
const AT_ONCE = 50

const client = { userAgent: BROWSER }

/** Fifty refreshes of one token in one process: all fifty get the same successor, and it works. */
export async function refreshesInProcess(run: Run, place: Place): Promise<void> {
  await using auth = await openAuth(await place.database('sqlite'))
  for (let round = run.times(ROUNDS); round > 0; round -= 1) {
    const first = await auth.sessions.create({ subject: 'ann', client })
    const settled = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, async () => {
        for (let turns = run.random.below(4); turns > 0; turns -= 1) await turn()
        return auth.sessions.refresh(first.refresh_token, client)
      }),
    )
    const successors = new Set<string>()
    for (const each of settled) {
      if (each.status === 'fulfilled') successors.add(each.value.refresh_token)
      else run.check(false, `round ${round}: a refresh failed: ${String(each.reason)}`)
    }
    run.check(successors.size === 1, `round ${round}: ${successors.size} successors`)
    run.check(!successors.has(first.refresh_token), `round ${round}: the token was not rotated`)
    const [successor = ''] = successors
    const next = await auth.sessions.refresh(successor, client).catch((error: unknown) => error)
    run.check(!(next instanceof Error), `round ${round}: the successor fails: ${String(next)}`)
    run.count('rounds')
    run.count('refreshes', AT_ONCE + 1)
  }
  run.check((await audited(auth, 'session.replay_detected')) === 0, 'a false alarm: replay_detected')
}

/** The same over HTTP, spread over server processes on one database. */
export async function refreshesAcross(run: Run, place: Place, store: StoreName, servers: number): Promise<void> {
  const databaseUrl = await place.database(store)
  await using auth = await openAuth(databaseUrl)
  const sessions: TokenResponse[] = []
  for (let i = run.times(ROUNDS); i > 0; i -= 1) sessions.push(await auth.sessions.create({ subject: `u${i}`, client }))
  await using fleet = await startServers(servers, { databaseUrl, program: 'sealwax' })
  const refresh = (refresh_token: string, i: number) =>
    ask(`${fleet.urls[i % servers]}/refresh`, { json: { refresh_token } })
  for (const [round, { refresh_token, session }] of sessions.entries()) {
    const offset = run.random.below(servers)
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => refresh(refresh_token, i + offset)))
    const successors = new Set<string>()
    for (const answer of answers) {
      const granted = answer !== 'lost' && answer.status === 200
      run.check(granted, `round ${round}: a refresh got ${told(answer)}`)
      if (granted) successors.add(answer.body.refresh_token)
    }
    run.check(successors.size === 1, `round ${round}: ${successors.size} successors`)
    run.check(!successors.has(refresh_token), `round ${round}: the token was not rotated`)
    const [successor = ''] = successors
    const next = await refresh(successor, offset)
    run.check(
      next !== 'lost' && next.status === 200,
      `round ${round}: the successor of ${session.id} got ${told(next)}`,
    )
    run.count('rounds')
    run.count('refreshes', AT_ONCE + 1)
  }
  run.count('server processes', servers)
  run.check((await audited(auth, 'session.replay_detected')) === 0, 'a false alarm: replay_detected')
}
