import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ALEX } from './demo.ts'
import { bearer, exchange, isPlatform, replaceClaims, say, type Tokens } from './exchange.ts'
import { startServer } from './server.ts'

/** Guards accept a token for this long after its expiry, because clocks differ. */
const CLOCK_TOLERANCE_S = 5
const GRACE_S = 2

/**
 * Walks through the example that is running on PORT (default 5000). Two steps depend on time, which
 * cannot be shortened from outside. For those, and for all steps if no example is running, the tour
 * starts its own example, on a free port, with short lifetimes and empty databases.
 */
async function tour(): Promise<void> {
  const { PORT = '5000' } = process.env
  const given = `http://127.0.0.1:${PORT}`
  const dataDir = mkdtempSync(join(tmpdir(), 'sealwax-tour-'))
  const quick = await startServer({ port: 0, dataDir, accessTtl: '1s', refreshGrace: `${GRACE_S}s` })
  try {
    const running = await isPlatform(given)
    const url = running ? given : quick.url
    say(
      running
        ? `Walking the example that runs at ${url}. Steps that depend on time use the tour's own example at ${quick.url},\nwhose access tokens are valid for 1 second.`
        : `No example answers at ${given}. Walking the tour's own example at ${url}, whose access tokens are valid for 1 second.`,
    )
    const tokens = await logInAndLook(url)
    await expired(quick.url)
    const fresh = await refresh(url, tokens)
    await replay(quick.url)
    await logOut(url, fresh)
    say('Done. The same checks as a test: test/process.test.ts.')
  } finally {
    await quick.close()
    rmSync(dataDir, { recursive: true })
  }
}

const logIn = (url: string) =>
  exchange<Tokens>(url, 'POST', '/login', { body: { email: ALEX.email, password: ALEX.password }, expect: 200 })

async function logInAndLook(url: string): Promise<Tokens> {
  say('1. Log in')
  const tokens = await logIn(url)
  say('-> An access token that every route checks without a database, and a refresh token to renew it.')

  say('2. The profile')
  await exchange(url, 'GET', '/profile', { headers: bearer(tokens.access_token), expect: 200 })
  say('-> The route identifies the user by the token.')

  say('3. A tampered token: the payload now says "user-456", a teacher; the signature is unchanged')
  const tampered = replaceClaims(tokens.access_token, { sub: 'user-456', roles: ['teacher'] })
  await exchange(url, 'GET', '/profile', { headers: bearer(tampered), expect: 401 })
  say('-> Anyone can read a token, but every change to it is detected.')
  return tokens
}

async function expired(url: string): Promise<void> {
  say('4. An expired token')
  const tokens = await logIn(url)
  const wait = tokens.expires_in + CLOCK_TOLERANCE_S
  say(
    `   … waiting ${wait} seconds: its lifetime, and the ${CLOCK_TOLERANCE_S} seconds that guards tolerate because clocks differ`,
  )
  await delay(wait * 1000 + 100)
  await exchange(url, 'GET', '/profile', { headers: bearer(tokens.access_token), expect: 401 })
  say('-> A client that reads the code "token_expired" refreshes and tries again, without the user noticing.')
}

async function refresh(url: string, { refresh_token }: Tokens): Promise<Tokens> {
  say('5. Refresh, twice with the same token: like two tabs, or a client that did not receive the response')
  const body = { refresh_token }
  const first = await exchange<Tokens>(url, 'POST', '/refresh', { body, expect: 200 })
  const second = await exchange<Tokens>(url, 'POST', '/refresh', { body, expect: 200 })
  if (second.refresh_token !== first.refresh_token)
    throw new Error('The second response should contain the same refresh token')
  say('-> Both responses contain the same new token. No user is logged out by accident.')
  return second
}

async function replay(url: string): Promise<void> {
  say('6. A replayed refresh token: a thief copied it at log-in; the owner refreshes twice, then the thief uses it')
  const stolen = await logIn(url)
  const first = await exchange<Tokens>(url, 'POST', '/refresh', {
    body: { refresh_token: stolen.refresh_token },
    expect: 200,
  })
  say(
    `   … waiting ${2 * GRACE_S} seconds, two refresh windows of this example (by default 30 seconds each), within which a token is rotated only once`,
  )
  await delay(2 * GRACE_S * 1000 + 100)
  const last = await exchange<Tokens>(url, 'POST', '/refresh', {
    body: { refresh_token: first.refresh_token },
    expect: 200,
  })
  await exchange(url, 'POST', '/refresh', { body: { refresh_token: stolen.refresh_token }, expect: 400 })
  await exchange(url, 'GET', '/profile', { headers: bearer(last.access_token), expect: 401 })
  say(
    '-> Two clients use one session, and the server cannot tell which is the owner. The session ends for both, with its access tokens.',
  )
}

async function logOut(url: string, { access_token, refresh_token }: Tokens): Promise<void> {
  say('7. Log out')
  await exchange(url, 'POST', '/logout', { headers: bearer(access_token), expect: 204 })
  await exchange(url, 'GET', '/profile', { headers: bearer(access_token), expect: 401 })
  await exchange(url, 'POST', '/refresh', { body: { refresh_token }, expect: 400 })
  say('-> After a log-out the access token is refused immediately, even if it has not expired.')
}

tour().catch((error: unknown) => {
  console.error(`\nThe tour stopped: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
