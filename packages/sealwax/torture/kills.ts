import { setTimeout as delay } from 'node:timers/promises'
import { PASSWORD } from '../test/server.ts'
import { begin, type Client, checkLoggedOut, logIn, logOut, refreshTabs } from './clients.ts'
import { checkDatabase } from './integrity.ts'
import { audited, openAuth } from './open.ts'
import type { Place, StoreName } from './place.ts'
import type { Run, Times } from './run.ts'
import { type Fleet, startServers } from './servers.ts'

const KILLS: Times = { full: 200, short: 2 }
/** The maximum number of clients that are active in one wave. */
const ACTIVE = 24
const MOST_CLIENTS = 120
const CHECK_EVERY = 20
/**
 * Between two waves the clocks move beyond the grace window, so that the next refresh of every
 * client rotates.
 */
const STEP_MS = 61_000

const USERS = [1, 2, 3].map((i) => ({ id: `user-${i}`, email: `user-${i}@example.com`, password: PASSWORD }))

interface World {
  readonly run: Run
  readonly fleet: Fleet
  readonly clients: Client[]
  readonly gone: Client[]
  /**
   * Kills something at a random time and restarts it. Resolves once everything is running again.
   */
  readonly strike: () => Promise<void>
}

/**
 * Sends `kill -9` at random times during refreshes, log-ins and log-outs: to single server
 * processes, to all of them at once, and on Postgres also to the database. Everything that was
 * acknowledged is kept. A client that got no response retries and gets the same result.
 */
export async function kills(run: Run, place: Place, store: StoreName): Promise<void> {
  const databaseUrl = await place.database(store)
  await createUsers(databaseUrl)
  const settings = { SEALWAX_ACCESS_TTL: '24h' }
  await using fleet = await startServers(2, { databaseUrl, program: 'embedding', settings })
  const strike = striker(run, fleet, store === 'postgres' ? place : undefined)
  const world: World = { run, fleet, clients: [], gone: [], strike }
  const waves = run.times(KILLS)
  for (let wave = 1; wave <= waves; wave += 1) {
    await Promise.all(fleet.all.map((server) => server.setClock(wave * STEP_MS)))
    await oneWave(world, wave)
    if (wave % CHECK_EVERY === 0 || wave === waves) await checkDatabase(run, databaseUrl, wave === waves)
  }
  await everybodyStands(world)
  await using auth = await openAuth(databaseUrl)
  run.check((await audited(auth, 'session.replay_detected')) === 0, 'a false alarm: replay_detected')
}

async function oneWave(world: World, wave: number): Promise<void> {
  const { run, fleet, clients, gone } = world
  const { random } = run
  const leaving = new Set<Client>()
  const work: Promise<unknown>[] = []
  const enter = async (client: Promise<Client | undefined>) => {
    const begun = await client
    if (begun !== undefined) clients.push(begun)
  }
  for (let i = 0; i < ACTIVE && clients.length > 0; i += 1) {
    const client = random.pick(clients)
    if (leaving.has(client)) continue
    leaving.add(client)
    if (random.chance(0.15)) work.push(logOut(run, fleet.urls, client))
    else work.push(refreshTabs(run, fleet.urls, client, 1 + random.below(4)))
  }
  for (let i = clients.length < MOST_CLIENTS ? 6 : 2; i > 0; i -= 1) {
    work.push(enter(begin(run, random.pick(fleet.urls), `subject-${wave}-${i}`)))
  }
  if (wave % 5 === 0) work.push(enter(logIn(run, random.pick(fleet.urls), random.pick(USERS))))
  await Promise.all([world.strike(), ...work])
  for (const server of fleet.all) {
    run.check(!server.died, `wave ${wave}: a server exited by itself: ${server.tail.join(' | ')}`)
    if (server.died) await server.start()
  }
  const left = clients.filter(({ loggedOut }) => loggedOut)
  clients.splice(0, clients.length, ...clients.filter(({ loggedOut }) => !loggedOut))
  gone.push(...left)
  // The clients that logged out in this wave, and a random one of all that have logged out.
  const old = gone.length > 0 ? [random.pick(gone)] : []
  for (const client of new Set([...left, ...old])) await checkLoggedOut(run, fleet.urls, client)
}

/** At the end each session that was acknowledged is live, or its log-out was acknowledged. */
async function everybodyStands({ run, fleet, clients, gone }: World): Promise<void> {
  for (const client of clients) await refreshTabs(run, fleet.urls, client, 1)
  for (const client of gone) await checkLoggedOut(run, fleet.urls.slice(0, 1), client)
  run.count('live sessions found at the end', clients.length)
  run.count('ended sessions found ended at the end', gone.length)
}

/**
 * Kills one server at random, with two exceptions. On Postgres, every fourth strike, from the
 * second, kills the database. Every eighth, from the first, kills all servers at once.
 */
function striker(run: Run, { all }: Fleet, place: Place | undefined): () => Promise<void> {
  const { random } = run
  let strikes = 0
  return async () => {
    strikes += 1
    await delay(random.below(300))
    if (place !== undefined && strikes % 4 === 2) {
      const server = await place.postgres()
      await server.stop('crash')
      run.count('kill -9 of Postgres')
      await delay(random.below(300))
      await server.start()
      return
    }
    const victims = strikes % 8 === 1 ? all : [random.pick(all)]
    await Promise.all(victims.map((victim) => victim.kill()))
    run.count('kill -9 of a server process', victims.length)
    await delay(random.below(100))
    await Promise.all(victims.map((victim) => victim.start()))
  }
}

async function createUsers(databaseUrl: string): Promise<void> {
  await using auth = await openAuth(databaseUrl)
  for (const user of USERS) await auth.users.create(user)
}
