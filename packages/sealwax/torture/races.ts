import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { PASSWORD, standing } from '../test/server.ts'
import { BROWSER } from './http.ts'
import { type OpenAuth, openAuth } from './open.ts'
import type { Place, StoreName } from './place.ts'
import type { Run } from './run.ts'
import { ISSUER } from './servers.ts'

/** The tokens of one session, as they were issued. */
interface Given {
  readonly refresh_token: string
  readonly access_token: string
}

interface Arena {
  readonly run: Run
  readonly both: readonly [OpenAuth, OpenAuth]
  readonly user: { readonly id: string; readonly email: string }
  password: string
}

/** Runs operations on two servers of one store against each other, at random times. */
export async function races(run: Run, place: Place, store: StoreName): Promise<void> {
  const databaseUrl = await place.database(store)
  await using one = await openAuth(databaseUrl)
  await using two = await openAuth(databaseUrl)
  const user = await one.users.create({ email: 'ann@example.com', password: PASSWORD, roles: ['r1'] })
  const arena: Arena = { run, both: [one, two], user, password: PASSWORD }
  for (let i = run.times({ full: 250, short: 2 }); i > 0; i -= 1) {
    await passwordRace(arena, i)
    await disableRace(arena)
    await logOutEverywhereRace(arena)
    await rolesRace(arena)
  }
}

/**
 * No session that was created with the old password survives, not even through a concurrent
 * refresh.
 */
async function passwordRace(arena: Arena, round: number): Promise<void> {
  const { run, user } = arena
  const old = arena.password
  const next = `${PASSWORD} ${round}`
  const given = await against(arena, old, (auth) => auth.users.update(user.id, { password: next }))
  arena.password = next
  for (const tokens of given) await mustBeDead(arena, tokens, 'a password change')
  const [one, two] = arena.both
  run.check((await logIn(one, user.email, old)) === undefined, 'the old password still logs in')
  run.check((await logIn(two, user.email, next, true)) !== undefined, 'the new password does not log in')
  run.count('races with a password change')
}

async function disableRace(arena: Arena): Promise<void> {
  const { run, both, user, password } = arena
  const given = await against(arena, password, (auth) => auth.users.disable(user.id))
  for (const tokens of given) await mustBeDead(arena, tokens, 'a disable')
  run.check((await logIn(both[0], user.email, password)) === undefined, 'a disabled user logs in')
  await both[1].users.enable(user.id)
  run.count('races with a disable')
}

/**
 * Sessions from before the log-out have ended. A session that started meanwhile has ended or is
 * live, but guards and refreshes must agree.
 */
async function logOutEverywhereRace(arena: Arena): Promise<void> {
  const { run, both, user, password } = arena
  const before = await both[0].sessions.create({ subject: user.id })
  const refreshing = renewals(arena, before)
  const given = await against(arena, password, (auth) => auth.sessions.revokeAll(user.id))
  for (const tokens of [before, ...(await refreshing)]) await mustBeDead(arena, tokens, 'a log-out everywhere')
  for (const tokens of given) {
    const alive = await isLive(both[0], tokens)
    for (const auth of both) {
      const expected = alive ? 'accepted' : 'token_revoked'
      const said = await eventually(
        () => standing(auth, tokens.access_token),
        (answer) => answer === expected,
      )
      run.check(
        said === expected,
        `after a log-out everywhere the guard result is ${said}, but by the refresh it should be ${expected}`,
      )
    }
    run.count(alive ? 'sessions begun after a log-out everywhere' : 'sessions ended by a log-out everywhere')
  }
  run.count('races with a log-out everywhere')
}

/**
 * Every access token contains the roles that belong to its `ver`: no token has a higher `ver` and
 * older roles.
 */
async function rolesRace(arena: Arena): Promise<void> {
  const { run, both, user } = arena
  await both[0].users.setRoles(user.id, ['step0'])
  const first = await both[0].sessions.create({ subject: user.id })
  const changes = async () => {
    for (let step = 1; step <= LAST_STEP; step += 1) {
      await pause(run)
      await run.random.pick(both).users.setRoles(user.id, [`step${step}`, `also${step}`])
    }
  }
  const given = renewals(arena, first, 12)
  const loggedIn = Promise.all(
    [1, 2].map(() => pause(run).then(() => logIn(run.random.pick(both), user.email, arena.password))),
  )
  await changes()
  const last = await both[1].sessions.refresh(first.refresh_token)
  const tokens = [...(await given), ...(await loggedIn), last].filter((each) => each !== undefined).map(claimsOf)
  const steps = tokens.map(({ ver, roles }) => ({ ver, step: Number(roles[0]?.slice('step'.length)) }))
  for (const [i, { ver, step }] of steps.entries()) {
    const contrary = steps.find(
      (other) => (other.ver > ver && other.step < step) || (other.ver === ver && other.step !== step),
    )
    run.check(
      contrary === undefined,
      `ver ${ver} carries the roles of step ${step}, ver ${contrary?.ver} of ${contrary?.step}`,
    )
    const { roles = [] } = tokens[i] ?? {}
    run.check(step === 0 || roles[1] === `also${step}`, `the roles ${roles.join()} were never given together`)
    run.count(step === LAST_STEP ? 'tokens with the last roles' : 'tokens with earlier roles')
  }
  run.check(steps.at(-1)?.step === LAST_STEP, 'a refresh after the change does not have the last roles')
  run.count('races with a role change')
}

const LAST_STEP = 3

/** Runs log-ins and refreshes against one operation. Returns all tokens that were issued. */
async function against(arena: Arena, password: string, deed: (auth: OpenAuth) => Promise<unknown>): Promise<Given[]> {
  const { run, both, user } = arena
  const { random } = run
  const old = await both[0].sessions.create({ subject: user.id })
  const logIns = Array.from({ length: 3 }, async () => {
    await pause(run)
    return logIn(random.pick(both), user.email, password)
  })
  const done = pause(run).then(() => deed(random.pick(both)))
  const [given, renewed] = await Promise.all([Promise.all(logIns), renewals(arena, old), done])
  const tokens = given.filter((each) => each !== undefined)
  run.count('log-ins refused in a race', given.length - tokens.length)
  run.count('log-ins granted in a race', tokens.length)
  run.count('refreshes granted in a race', renewed.length)
  return [...tokens, ...renewed]
}

/**
 * Refreshes one session several times on both servers. Returns the tokens of the refreshes that
 * were granted.
 */
async function renewals({ run, both }: Arena, tokens: Given, times = 5): Promise<Given[]> {
  const asked = Array.from({ length: times }, async () => {
    await pause(run)
    return run.random
      .pick(both)
      .sessions.refresh(tokens.refresh_token)
      .catch((error: { code: string }) => {
        run.check(error.code === 'invalid_grant', `a refresh failed with ${error.code ?? error}`)
        return undefined
      })
  })
  return (await Promise.all(asked)).filter((each) => each !== undefined)
}

async function mustBeDead({ run, both }: Arena, tokens: Given, after: string): Promise<void> {
  for (const auth of both) {
    run.check(!(await isLive(auth, tokens)), `after ${after} a session can still be refreshed`)
    const said = await eventually(
      () => standing(auth, tokens.access_token),
      (answer) => answer === 'token_revoked',
    )
    run.check(said === 'token_revoked', `after ${after} an access token is ${said}`)
  }
  run.count('tokens found revoked')
}

async function isLive(auth: OpenAuth, { refresh_token }: Given): Promise<boolean> {
  return auth.sessions.refresh(refresh_token).then(
    () => true,
    () => false,
  )
}

async function logIn(auth: OpenAuth, email: string, password: string, patient = false): Promise<Given | undefined> {
  const headers = { 'Content-Type': 'application/json', 'User-Agent': BROWSER }
  const body = JSON.stringify({ email, password })
  const response = await auth.fetch(new Request(`${ISSUER}/login`, { method: 'POST', headers, body }))
  if (response.status === 200) return (await response.json()) as Given
  if (response.status !== 429 || !patient) return undefined
  // The old password has been tried a few times just before.
  await delay(Number(response.headers.get('Retry-After')) * 1000)
  return logIn(auth, email, password, true)
}

function claimsOf({ access_token }: Given): { ver: number; roles: string[] } {
  return JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString())
}

/**
 * Waits for a few turns of the event loop or not at all, or for up to 90 ms, as long as a log-in
 * takes.
 */
async function pause({ random }: Run): Promise<void> {
  if (random.chance(0.4)) await delay(random.below(90))
  else for (let turns = random.below(6); turns > 0; turns -= 1) await turn()
}

async function eventually(ask: () => Promise<string>, holds: (answer: string) => boolean): Promise<string> {
  const deadline = performance.now() + 2000
  for (;;) {
    const answer = await ask()
    if (holds(answer) || performance.now() > deadline) return answer
    await delay(5)
  }
}
