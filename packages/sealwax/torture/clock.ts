import { ask, persist, told } from './http.ts'
import type { Place, StoreName } from './place.ts'
import type { Run } from './run.ts'
import { type Fleet, startServers } from './servers.ts'

const HOUR = 3_600_000
const CLIENTS = 8
/** How many of the clients that logged out last are checked after every step. */
const REMEMBERED = 12

interface Client {
  refreshToken: string
  accessToken: string
}

interface Hour {
  readonly run: Run
  readonly fleet: Fleet
  readonly clients: Client[]
  readonly gone: Client[]
}

/**
 * Moves the clock by an hour, forward and back, sometimes with a restart. Signed-in clients
 * continue, and logged-out clients stay logged out, on whichever side of a step they logged out.
 */
export async function clockSteps(run: Run, place: Place, store: StoreName): Promise<void> {
  const databaseUrl = await place.database(store)
  await using fleet = await startServers(store === 'sqlite' ? 1 : 2, { databaseUrl, program: 'embedding' })
  const hour: Hour = { run, fleet, clients: [], gone: [] }
  const steps = run.times({ full: 120, short: 4 })
  for (let step = 0; step < steps; step += 1) {
    // First ahead and correct again, later behind and correct again. A step is never two hours.
    const wrong = step < steps / 2 ? HOUR : -HOUR
    for (const server of fleet.all) await server.setClock(step % 2 === 0 ? wrong : 0)
    run.count('steps of the clock')
    if (run.random.chance(0.1)) await restart(hour)
    await oneStep(hour)
  }
}

async function oneStep(hour: Hour): Promise<void> {
  const { run, fleet, clients, gone } = hour
  const url = () => run.random.pick(fleet.urls)
  while (clients.length < CLIENTS) clients.push(await begin(url()))
  // One client logs out with an access token from before the step, one with a new one.
  await leave(hour)
  for (const client of clients) {
    const answer = await ask(`${url()}/refresh`, { json: { refresh_token: client.refreshToken } })
    run.check(answer !== 'lost' && answer.status === 200, `a client was refused after a step: ${told(answer)}`)
    if (answer === 'lost' || answer.status !== 200) continue
    client.refreshToken = answer.body.refresh_token
    client.accessToken = answer.body.access_token
    const accepted = await ask(`${url()}/me`, { token: client.accessToken })
    run.check(accepted !== 'lost' && accepted.status === 200, `a fresh access token was refused: ${told(accepted)}`)
    run.count('refreshes granted')
  }
  await leave(hour)
  for (const client of gone) await mustBeOut(run, fleet, client)
}

async function leave({ run, fleet, clients, gone }: Hour): Promise<void> {
  for (const client of clients.splice(run.random.below(clients.length), 1)) {
    const json = { refresh_token: client.refreshToken }
    const answer = await ask(`${run.random.pick(fleet.urls)}/logout`, { json })
    run.check(answer !== 'lost' && answer.status === 204, `a log-out got ${told(answer)}`)
    gone.unshift(client)
  }
  gone.splice(REMEMBERED)
}

/**
 * Checks that the refresh token is refused, and that every guard refuses the last access token, as
 * revoked or because it has expired or is from the future.
 */
async function mustBeOut(run: Run, fleet: Fleet, client: Client): Promise<void> {
  for (const url of fleet.urls) {
    const refused = await persist([url], '/refresh', { json: { refresh_token: client.refreshToken } })
    run.check(refused !== 'lost' && refused.status === 400, `a logged-out client got ${told(refused)}`)
    const deadline = performance.now() + 2000
    let said = await ask(`${url}/me`, { token: client.accessToken })
    while (said !== 'lost' && said.status === 200 && performance.now() < deadline) {
      said = await ask(`${url}/me`, { token: client.accessToken })
    }
    run.check(said !== 'lost' && said.status === 401, `the access token of a logged-out client got ${told(said)}`)
    run.count(`log-outs still in effect: ${said === 'lost' ? 'no reply' : said.body.code}`)
  }
}

async function restart({ run, fleet }: Hour): Promise<void> {
  for (const server of fleet.all) {
    await server.kill()
    await server.start()
  }
  run.count('restarts')
}

async function begin(url: string): Promise<Client> {
  const answer = await ask(`${url}/torture/sessions`, { json: { subject: 'ann', userAgent: 'x' } })
  if (answer === 'lost' || answer.status !== 200) throw new Error(`a session could not be started: ${told(answer)}`)
  return { refreshToken: answer.body.refresh_token, accessToken: answer.body.access_token }
}
