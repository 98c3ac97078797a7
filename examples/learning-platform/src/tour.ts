import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ALEX } from './demo.ts'
import { bearer, exchange, isPlatform, replaceClaims, say, type Tokens } from './exchange.ts'
import { startServer } from './server.ts'

/** Guards accept a token for so long after its expiry, because clocks disagree. */
const CLOCK_TOLERANCE_S = 5
const GRACE_S = 2

/**
 * Walks the example that answers on PORT (default 5000). Two steps are about time, and nobody can hurry a server from outside:
 * for those, and for all when none is running, the tour starts an example of its own, on a free port, with short lives and empty databases.
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
        ? `Walking the example that runs at ${url}. Where time matters: one of the tour's own at ${quick.url},\nwhose access tokens live for 1 second.`
        : `No example answers at ${given}; walking one of the tour's own at ${url}, whose access tokens live for 1 second.`,
    )
    const tokens = await logInAndLook(url)
    await expired(quick.url)
    const fresh = await refresh(url, tokens)
    await replay(quick.url)
    await logOut(url, fresh)
    say('The end. The same checks as a program to read: test/process.test.ts.')
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
  say('-> The route knows who asks from the token alone.')

  say('3. A tampered token: the payload now says "user-456", a teacher; the signature is the old one')
  const tampered = replaceClaims(tokens.access_token, { sub: 'user-456', roles: ['teacher'] })
  await exchange(url, 'GET', '/profile', { headers: bearer(tampered), expect: 401 })
  say('-> Anyone may read a token, nobody can change it unseen.')
  return tokens
}

async function expired(url: string): Promise<void> {
  say('4. An expired token')
  const tokens = await logIn(url)
  const wait = tokens.expires_in + CLOCK_TOLERANCE_S
  say(
    `   … waiting ${wait} seconds: its life, and the ${CLOCK_TOLERANCE_S} seconds that guards forgive to clocks that differ`,
  )
  await delay(wait * 1000 + 100)
  await exchange(url, 'GET', '/profile', { headers: bearer(tokens.access_token), expect: 401 })
  say('-> A client that reads the code "token_expired" refreshes and tries again; its user notices nothing.')
}

async function refresh(url: string, { refresh_token }: Tokens): Promise<Tokens> {
  say('5. Refresh, twice with the same token: as two tabs do, or a client whose answer was lost')
  const body = { refresh_token }
  const first = await exchange<Tokens>(url, 'POST', '/refresh', { body, expect: 200 })
  const second = await exchange<Tokens>(url, 'POST', '/refresh', { body, expect: 200 })
  if (second.refresh_token !== first.refresh_token)
    throw new Error('The second answer should carry the same refresh token')
  say('-> Both got the same successor. Nobody is logged out by accident.')
  return second
}

async function replay(url: string): Promise<void> {
  say('6. A replayed refresh token: a thief copied it at log-in; the owner refreshes twice, then the thief comes')
  const stolen = await logIn(url)
  const first = await exchange<Tokens>(url, 'POST', '/refresh', {
    body: { refresh_token: stolen.refresh_token },
    expect: 200,
  })
  say(
    `   … waiting ${2 * GRACE_S} seconds, two windows of this example (usually two of 30): within them one rotation is enough`,
  )
  await delay(2 * GRACE_S * 1000 + 100)
  const last = await exchange<Tokens>(url, 'POST', '/refresh', {
    body: { refresh_token: first.refresh_token },
    expect: 200,
  })
  await exchange(url, 'POST', '/refresh', { body: { refresh_token: stolen.refresh_token }, expect: 400 })
  await exchange(url, 'GET', '/profile', { headers: bearer(last.access_token), expect: 401 })
  say(
    '-> Two hold one session, and no server can tell which is the owner: the session ends for both, its access tokens too.',
  )
}

async function logOut(url: string, { access_token, refresh_token }: Tokens): Promise<void> {
  say('7. Log out')
  await exchange(url, 'POST', '/logout', { headers: bearer(access_token), expect: 204 })
  await exchange(url, 'GET', '/profile', { headers: bearer(access_token), expect: 401 })
  await exchange(url, 'POST', '/refresh', { body: { refresh_token }, expect: 400 })
  say('-> Logged out means logged out: the access token is refused at once, however long it would have lived.')
}

tour().catch((error: unknown) => {
  console.error(`\nThe tour stopped: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
