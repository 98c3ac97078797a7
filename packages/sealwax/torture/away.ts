import { setTimeout as delay } from 'node:timers/promises'
import { PASSWORD } from '../test/server.ts'
import { type Answer, ask, persist, told } from './http.ts'
import { openAuth } from './open.ts'
import { type MakeOutage, type Outage, POSTGRES_OUTAGES, SQLITE_OUTAGES, unmount } from './outages.ts'
import type { Place, StoreName } from './place.ts'
import type { Run } from './run.ts'
import { type ServerProcess, startServer } from './servers.ts'

const CLIENTS = 16
/** Every response, 503 included, must arrive before a client would give up. */
const LONGEST_MS = 28_000
/** All clients must be served again within this time after the store is back. */
const RECOVERY_MS = 10_000

interface Client {
  readonly id: string
  refreshToken: string
  accessToken: string
}

interface Cast {
  readonly run: Run
  readonly name: string
  readonly server: ServerProcess
  /** Signed in. */
  readonly clients: Client[]
  /** Signed out before the outage. */
  readonly gone: readonly Client[]
}

/** Makes the store unavailable for a while under load, in every way that is possible. */
export async function away(run: Run, place: Place, store: StoreName): Promise<void> {
  const outages = store === 'postgres' ? POSTGRES_OUTAGES : SQLITE_OUTAGES
  for (const [name, make] of Object.entries(outages)) {
    // Left out of short runs: two of them delay each request for seconds, and a crash differs
    // little from a stop.
    const rare = ['frozen', 'crashed', 'locked'].includes(name)
    if (run.times({ full: 1, short: rare ? 0 : 1 }) > 0) await oneOutage(run, place, name, make)
  }
}

async function oneOutage(run: Run, place: Place, name: string, make: MakeOutage): Promise<void> {
  const outage = await make(place)
  if (typeof outage === 'string') return run.skip(`${name}: ${outage}`)
  try {
    await endure(run, name, outage)
  } finally {
    unmount(outage.databaseUrl)
  }
}

const EMAIL = 'ann@example.com'

async function endure(run: Run, name: string, outage: Outage): Promise<void> {
  {
    await using auth = await openAuth(outage.databaseUrl)
    await auth.users.create({ id: 'ann', email: EMAIL, password: PASSWORD })
  }
  await using server = await startServer({ databaseUrl: outage.databaseUrl, program: 'embedding' })
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => begin(server.url, `${name}-${i}`)))
  const gone = await Promise.all([1, 2, 3].map((i) => begin(server.url, `${name}-gone-${i}`)))
  for (const { refreshToken } of gone) await ask(`${server.url}/logout`, { json: { refresh_token: refreshToken } })
  const cast: Cast = { run, name, server, clients, gone }
  const over = new AbortController()
  await outage.begin()
  try {
    const load = Promise.all([
      ...clients.map((client) => use(cast, client, over.signal)),
      ...gone.map((client) => intrude(cast, client, over.signal)),
      logIn(cast, over.signal),
    ])
    await delay(run.times({ full: 60_000, short: 500 }))
    over.abort()
    await load
  } finally {
    await outage.end()
  }
  await recovered(cast)
}

async function begin(url: string, id: string): Promise<Client> {
  const answer = await ask(`${url}/torture/sessions`, { json: { subject: id, userAgent: 'x' } })
  if (answer === 'lost' || answer.status !== 200) throw new Error(`a session could not be started: ${told(answer)}`)
  return { id, refreshToken: answer.body.refresh_token, accessToken: answer.body.access_token }
}

/**
 * A signed-in client. Its requests succeed or get 503, and never report that its session has ended.
 */
async function use(cast: Cast, client: Client, over: AbortSignal): Promise<void> {
  const { url } = cast.server
  while (!over.aborted) {
    const refreshed = await ask(`${url}/refresh`, { json: { refresh_token: client.refreshToken } })
    judge(cast, 'a refresh', refreshed, [200])
    if (refreshed !== 'lost' && refreshed.status === 200) client.refreshToken = refreshed.body.refresh_token
    judge(cast, 'an access token', await ask(`${url}/me`, { token: client.accessToken }), [200])
    await delay(50)
  }
}

/**
 * A signed-out client. Its requests are refused or get 503, and never succeed. It may repeat its
 * log-out.
 */
async function intrude(cast: Cast, client: Client, over: AbortSignal): Promise<void> {
  const { url } = cast.server
  while (!over.aborted) {
    const json = { refresh_token: client.refreshToken }
    judge(cast, 'a refresh after log-out', await ask(`${url}/refresh`, { json }), [400])
    judge(cast, 'an access token after log-out', await ask(`${url}/me`, { token: client.accessToken }), [401])
    judge(cast, 'a log-out', await ask(`${url}/logout`, { json }), [204])
    await delay(100)
  }
}

async function logIn(cast: Cast, over: AbortSignal): Promise<void> {
  const { url } = cast.server
  while (!over.aborted) {
    judge(cast, 'a log-in', await ask(`${url}/login`, { json: { email: EMAIL, password: PASSWORD } }), [200])
    const wrong = { email: EMAIL, password: `not ${PASSWORD}` }
    judge(cast, 'a log-in with a wrong password', await ask(`${url}/login`, { json: wrong }), [401])
    await delay(200)
  }
}

/** Checks that the response is one of those expected, or 503 with Retry-After. */
function judge({ run, name }: Cast, what: string, answer: Answer | 'lost', right: readonly number[]): void {
  run.check(answer !== 'lost', `${name}: ${what} got no reply`)
  if (answer === 'lost') return
  const unavailable = answer.status === 503
  run.count(unavailable ? `${name}: answered 503` : `${name}: answered as usual`)
  run.check(unavailable || right.includes(answer.status), `${name}: ${what} got ${told(answer)}`)
  if (unavailable) run.check(Number(answer.retryAfter) > 0, `${name}: a 503 without Retry-After`)
  run.check(answer.took < LONGEST_MS, `${name}: ${what} took ${Math.round(answer.took)} ms`)
}

/**
 * Checks that afterwards all signed-in clients, and no others, are served again without a restart.
 */
async function recovered({ run, name, server, clients, gone }: Cast): Promise<void> {
  const started = performance.now()
  const urls = [server.url]
  const patience = RECOVERY_MS
  run.check(
    (run.counts.get(`${name}: answered 503`) ?? 0) > 0,
    `${name}: no request got 503 while the store was unavailable`,
  )
  await Promise.all(
    clients.map(async (client) => {
      const answer = await persist(urls, '/refresh', { json: { refresh_token: client.refreshToken } }, { patience })
      run.check(answer !== 'lost' && answer.status === 200, `${name}: afterwards a refresh got ${told(answer)}`)
    }),
  )
  const elapsed = performance.now() - started
  run.check(elapsed < RECOVERY_MS, `${name}: it took ${Math.round(elapsed)} ms until all were served again`)
  for (const { refreshToken, accessToken } of gone) {
    const answer = await persist(urls, '/refresh', { json: { refresh_token: refreshToken } }, { patience })
    run.check(
      answer !== 'lost' && answer.body.reason === 'session_revoked',
      `${name}: afterwards a signed-out client got ${told(answer)}`,
    )
    // A guard that could not read the revocations for a minute returns 503 until its next attempt.
    const guarded = await persist(urls, '/me', { token: accessToken }, { patience })
    run.check(
      guarded !== 'lost' && guarded.body.code === 'token_revoked',
      `${name}: afterwards the guard returned ${told(guarded)}`,
    )
  }
  const login = await persist(urls, '/login', { json: { email: EMAIL, password: PASSWORD } }, { patience })
  run.check(login !== 'lost' && login.status === 200, `${name}: afterwards a log-in got ${told(login)}`)
  run.check(!server.died, `${name}: the server exited by itself: ${server.tail.join(' | ')}`)
  run.count('outages survived')
  run.count(`${name}: milliseconds until all were served again`, Math.round(elapsed))
}
