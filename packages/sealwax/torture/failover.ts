import { setTimeout as delay } from 'node:timers/promises'
import { createGuard, type Guard, type GuardError } from '@sealwax/guard'
import { createRemoteJWKSet } from '@sealwax/jwt'
import { withoutStandby } from '../test/postgres.ts'
import { begin, type Client, checkLoggedOut } from './clients.ts'
import { type Cluster, createCluster } from './cluster.ts'
import { type Answer, persist, told } from './http.ts'
import type { Run, Times } from './run.ts'
import { AUDIENCE, type Fleet, ISSUER, startServers } from './servers.ts'

const ROUNDS: Times = { full: 20, short: 1 }
const CLIENTS = 12
/**
 * The numbers of log-outs before a failover that the standby has and that it lacks, and of log-outs
 * after it. A promoted standby continues up to 32 positions after the last that it knows, so
 * positions are assigned again only when it lacks more.
 */
const [KEPT, LOST, AFTER] = [4, 48, 40]
/** All clients must be served again within this time after the promotion. */
const RECOVERY_MS = 5000
/** A guard learns of a log-out within this time. After a long outage it retries every 15 s. */
const [HEARD_MS, HEARD_LATE_MS] = [3000, 18_000]
/**
 * The long outage exceeds the time that a request of a guard waits, so that the guard reconnects
 * after many log-outs.
 */
const [SHORT_OUTAGE_MS, LONG_OUTAGE_MS] = [200, 40_000]
const PATIENCE_MS = 70_000

/** Primary and standby swap roles once in every round. */
interface World {
  readonly run: Run
  readonly round: number
  readonly fleet: Fleet
  readonly guard: Guard
  readonly cluster: Cluster
}

/**
 * Kills the primary under load and promotes the standby. With asynchronous replication the standby
 * lacks the last log-outs, and only those may be undone. With synchronous replication none may be.
 */
export async function failover(run: Run): Promise<void> {
  const impossible = withoutStandby()
  if (impossible !== false) return run.skip(impossible)
  await using cluster = await createCluster()
  const databaseUrl = await cluster.database()
  const settings = { SEALWAX_ACCESS_TTL: '24h' }
  await using fleet = await startServers(run.times({ full: 2, short: 1 }), {
    databaseUrl,
    program: 'embedding',
    settings,
  })
  const guard = createGuard({
    ...{ issuer: ISSUER, audience: AUDIENCE, keys: createRemoteJWKSet(`${fleet.urls[0]}/.well-known/jwks.json`) },
    revocation: { url: `${fleet.urls.at(-1)}/.well-known/revocations` },
  })
  const rounds = run.times(ROUNDS)
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await oneRound({ run, round, fleet, guard, cluster })
      if (round < rounds) await cluster.addStandby()
    }
  } finally {
    await guard.close()
  }
}

async function oneRound(world: World): Promise<void> {
  const { run, round, fleet, cluster } = world
  const synchronous = round % 2 === 0
  await cluster.setSynchronous(synchronous)
  const enter = (name: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        begin(run, fleet.urls[i % fleet.urls.length] as string, `${name}-${round}-${i}`),
      ),
    )
  const [staying, kept, lost, after] = (await Promise.all(
    [CLIENTS, KEPT, LOST, AFTER].map(async (count, i) => present(run, await enter(`group-${i}`, count))),
  )) as [Client[], Client[], Client[], Client[]]
  for (const client of [...staying, ...kept, ...lost, ...after]) await expectStanding(world, client, 'ok')
  for (const client of kept) await leave(world, client)
  await cluster.caughtUp()
  if (!synchronous) await cluster.holdStandby()
  await Promise.all(lost.map((client) => leave(world, client)))
  for (const client of lost) await expectStanding(world, client, 'token_revoked')

  const over = new AbortController()
  const load = staying.map((client) => use(world, client, over.signal))
  await delay(100)
  await cluster.killPrimary()
  await delay(isLong(round) ? LONG_OUTAGE_MS : SHORT_OUTAGE_MS)
  cluster.promote()
  const promoted = performance.now()
  await Promise.all(after.map((client) => leave(world, client)))
  const recovered = performance.now() - promoted
  over.abort()
  await Promise.all(load)
  run.check(
    recovered < RECOVERY_MS,
    `round ${round}: it took ${Math.round(recovered)} ms until log-outs were served again`,
  )
  for (const client of [...after, ...kept]) await expectStanding(world, client, 'token_revoked')
  for (const client of staying) await refresh(world, client)
  for (const client of staying) await expectStanding(world, client, 'ok')
  for (const client of [...kept, ...after, ...(synchronous ? lost : [])]) await checkLoggedOut(run, fleet.urls, client)
  if (!synchronous) await countLost(world, lost)
  for (const server of fleet.all)
    run.check(!server.died, `round ${round}: a server exited by itself: ${server.tail.join(' | ')}`)
  run.count(`failovers with ${synchronous ? 'synchronous' : 'asynchronous'} replication`)
  run.count(`milliseconds until log-outs were served again, of all rounds together`, Math.round(recovered))
}

function isLong(round: number): boolean {
  return round % 5 === 3
}

function present(run: Run, clients: readonly (Client | undefined)[]): Client[] {
  const begun = clients.filter((client) => client !== undefined)
  run.check(begun.length === clients.length, 'a session could not be started although the database was available')
  return begun
}

/** Logs out, with retries until it is acknowledged. */
async function leave({ run, round, fleet }: World, client: Client): Promise<void> {
  const json = { refresh_token: client.refreshToken }
  const answer = await persist(fleet.urls, '/logout', { json }, asking(run, round))
  run.check(answer !== 'lost' && answer.status === 204, `round ${round}: a log-out got ${told(answer)}`)
  client.loggedOut = true
  run.count('log-outs acknowledged')
}

async function use(world: World, client: Client, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await refresh(world, client)
    await delay(40)
  }
}

/** Refreshes, with retries. It must end with a new token. */
async function refresh({ run, round, fleet }: World, client: Client): Promise<void> {
  const json = { refresh_token: client.refreshToken }
  const answer = await persist(fleet.urls, '/refresh', { json }, asking(run, round))
  run.check(answer !== 'lost' && answer.status === 200, `round ${round}: a refresh got ${told(answer)}`)
  if (answer === 'lost' || answer.status !== 200) return
  Object.assign(client, { refreshToken: answer.body.refresh_token, accessToken: answer.body.access_token })
}

function asking(run: Run, round: number): { patience: number; seen: (answer: Answer | 'lost') => void } {
  return { patience: PATIENCE_MS, seen: (answer) => judge(run, round, answer) }
}

function judge(run: Run, round: number, answer: Answer | 'lost'): void {
  run.check(answer !== 'lost', `round ${round}: a request got no reply`)
  if (answer === 'lost') return
  const unavailable = answer.status === 503
  if (!unavailable) run.count('requests served')
  else run.count(answer.took < 1000 ? 'requests answered 503 within a second' : 'requests answered 503 later')
  run.check(!unavailable || Number(answer.retryAfter) > 0, `round ${round}: a 503 without Retry-After`)
}

/** Checks that the guard soon makes the expected decision about an access token. */
async function expectStanding({ run, round, guard }: World, client: Client, expected: string): Promise<void> {
  let said = ''
  const patience = isLong(round) ? HEARD_LATE_MS : HEARD_MS
  for (const started = performance.now(); performance.now() - started < patience; await delay(20)) {
    const headers = { authorization: `Bearer ${client.accessToken}` }
    try {
      await guard.authenticate({ headers })
      said = 'ok'
    } catch (error) {
      said = (error as GuardError).code
    }
    if (said === expected) return run.count(`guard: ${expected}`)
  }
  run.check(false, `round ${round}: for a token that should be ${expected} the guard returned ${said}`)
}

/**
 * Asynchronous replication may lose acknowledged log-outs. Such a session is live again or has
 * ended; no other result is allowed.
 */
async function countLost({ run, round, fleet }: World, lost: readonly Client[]): Promise<void> {
  for (const { refreshToken } of lost) {
    const answer = await persist(fleet.urls, '/refresh', { json: { refresh_token: refreshToken } })
    const undone = answer !== 'lost' && answer.status === 200
    run.count(undone ? 'log-outs that asynchronous replication lost' : 'last log-outs that the standby had')
    run.check(
      undone || (answer !== 'lost' && answer.body.reason === 'session_revoked'),
      `round ${round}: a client whose log-out may be lost got ${told(answer)}`,
    )
  }
}
