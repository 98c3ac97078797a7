import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ALEX } from '../src/demo.ts'
import { call, dataDirFor, type ExampleProcess, run, startExample } from './process.ts'

const CREDENTIALS = { email: ALEX.email, password: ALEX.password }
const TOUR = join(import.meta.dirname, '../src/tour.ts')

interface Tokens {
  access_token: string
  expires_in: number
  refresh_token: string
  session: { id: string }
}

async function logIn(url: string): Promise<Tokens> {
  const { status, body } = await call(url, '/login', { body: CREDENTIALS })
  assert.equal(status, 200)
  return body
}

const refresh = (url: string, refresh_token: string) => call(url, '/refresh', { body: { refresh_token } })

async function refreshed(url: string, refreshToken: string): Promise<Tokens> {
  const { status, body } = await refresh(url, refreshToken)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

async function assertProfile(url: string, token: string): Promise<void> {
  const profile = await call(url, '/profile', { token })
  assert.deepEqual(profile, { status: 200, body: { user_id: 'user-123', message: 'Protected profile' } })
}

async function assertRefused(url: string, token: string, code: string, title: string): Promise<void> {
  const { status, body } = await call(url, '/profile', { token })
  assert.deepEqual([status, body.code, body.title, body.error], [401, code, title, title])
}

describe('the example as a process', { concurrency: true }, () => {
  test('log-in, profile, expired token, refresh, replay and log-out give the documented responses', async (t) => {
    const example = await startExample(t, { DATA_DIR: dataDirFor(t), ACCESS_TTL: '1s', REFRESH_GRACE: '2s' })
    const { url } = example
    const owner = await logIn(url)
    assert.equal(owner.expires_in, 1)
    await assertProfile(url, owner.access_token)
    const victim = await logIn(url)
    const first = await refreshed(url, victim.refresh_token)

    await delay(6100) // the lifetime of the access token, and the 5 s that the guard tolerates
    await assertRefused(url, owner.access_token, 'token_expired', 'Token has expired')
    const fresh = await refreshed(url, owner.refresh_token)
    assert.notEqual(fresh.refresh_token, owner.refresh_token)
    assert.equal(fresh.session.id, owner.session.id)
    await assertProfile(url, fresh.access_token)

    const last = await refreshed(url, first.refresh_token)
    await assertProfile(url, last.access_token)
    const replay = await refresh(url, victim.refresh_token)
    assert.deepEqual([replay.status, replay.body.code, replay.body.reason], [400, 'invalid_grant', 'replayed'])
    await assertRefused(url, last.access_token, 'token_revoked', 'Token has been revoked')
    assert.equal((await refresh(url, last.refresh_token)).body.reason, 'session_revoked')
    await assertProfile(url, fresh.access_token) // the user's other session is not affected

    assert.equal((await call(url, '/logout', { method: 'POST', token: fresh.access_token })).status, 204)
    await assertRefused(url, fresh.access_token, 'token_revoked', 'Token has been revoked')
    assert.equal((await refresh(url, fresh.refresh_token)).body.reason, 'session_revoked')
  })

  test('kill -9 in the middle of a refresh: after a restart the old token gets the same successor', async (t) => {
    const dataDir = dataDirFor(t)
    let example = await startExample(t, { DATA_DIR: dataDir })
    const { url } = example
    const port = new URL(url).port
    const moments: readonly (number | 'first reply')[] = [0, 1, 3, 'first reply']
    let lost = 0
    for (const moment of moments) {
      const sessions = await Promise.all([1, 2, 3, 4].map(() => logIn(url)))
      const replies = await killAmidRefreshes(example, sessions, moment)
      if (moment === 'first reply') assert.ok(replies.some((reply) => reply !== undefined))
      example = await startExample(t, { DATA_DIR: dataDir, PORT: port })
      for (const [index, session] of sessions.entries()) {
        const reply = replies[index]
        if (reply === undefined) lost += 1
        const retried = await refreshed(url, session.refresh_token)
        const again = await refreshed(url, session.refresh_token)
        const successors = new Set([retried, again, reply ?? retried].map((tokens) => tokens.refresh_token))
        assert.equal(successors.size, 1, `kill after ${moment}: the successors differ`)
        assert.ok(!successors.has(session.refresh_token))
        assert.equal(retried.session.id, session.session.id)
        for (const tokens of [session, retried, again, reply ?? retried]) await assertProfile(url, tokens.access_token)
        assert.equal((await refreshed(url, retried.refresh_token)).session.id, session.session.id)
      }
    }
    assert.ok(lost > 0, 'every reply arrived before the kill, so nothing was tested')
    t.diagnostic(`${lost} of ${moments.length * 4} replies were lost`)
  })

  test('on another port: earlier access tokens are refused for their issuer, refresh tokens still work', async (t) => {
    const dataDir = dataDirFor(t)
    const before = await startExample(t, { DATA_DIR: dataDir })
    const tokens = await logIn(before.url)
    const { url } = await startExample(t, { DATA_DIR: dataDir })
    assert.notEqual(url, before.url)
    await assertRefused(url, tokens.access_token, 'token_issuer_invalid', 'Invalid token')
    await assertProfile(url, (await refreshed(url, tokens.refresh_token)).access_token)
  })

  test('prints the address, the log-in and the commands; exits with code 0 on SIGTERM and SIGINT', async (t) => {
    const dataDir = dataDirFor(t)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const example = await startExample(t, { DATA_DIR: dataDir })
      const { url } = example
      const lines = example
        .output()
        .split('\n')
        .map((line) => line.trim())
      for (const line of [
        `curl --request POST ${url}/login --header "Content-Type: application/json" --data '${JSON.stringify(CREDENTIALS)}'`,
        `curl ${url}/profile --header "Authorization: Bearer <access_token>"`,
        `PORT=${new URL(url).port} npm run tour`,
        'npm run sealwax -- learn',
      ]) {
        assert.ok(lines.includes(line), `${line}\nis not in\n${example.output()}`)
      }
      const inspector = /in a browser: (\S+)/.exec(example.output())?.[1] ?? ''
      assert.match(await (await fetch(inspector)).text(), /<title>Token inspector/)
      assert.match(example.output(), /alex@example\.com.*password change-this-demo-password/)
      assert.equal(lines.filter((line) => line.startsWith('Warning: this is a demo')).length, 1)
      await assertProfile(url, (await logIn(url)).access_token)
      assert.equal(await example.end(signal), 0, example.output())
    }
  })

  test('a start that fails exits with code 1 and prints one sentence', async (t) => {
    const port = await busyPort(t)
    const dataDir = dataDirFor(t)
    writeFileSync(join(dataDir, 'taken'), 'a file where a directory should be')
    const cases: readonly [env: Record<string, string>, sentence: string | RegExp][] = [
      [{ PORT: port }, `Port ${port} is in use. Type: PORT=5001 npm start\n`],
      [{ PORT: 'http' }, 'PORT is not a port number: "http". Type: PORT=5001 npm start\n'],
      [
        { PORT: '0', ACCESS_TTL: '15 minutes' },
        /^The example cannot start: createAuth: accessTtl must be .* \(config_invalid\)\.\n$/,
      ],
    ]
    for (const [env, sentence] of cases) {
      const { closed, output } = run(join(import.meta.dirname, '../src/main.ts'), { DATA_DIR: dataDir, ...env })
      assert.equal(await closed, 1)
      if (typeof sentence === 'string') assert.equal(output(), sentence)
      else assert.match(output(), sentence)
    }
  })

  test('npm run tour: starts an example if none is running, and shows every step', async (t) => {
    assertTour(await tourOutput(t, await freePort()), /^No example answers at/)
  })

  test('npm run tour: uses the example that is running', async (t) => {
    const example = await startExample(t, { DATA_DIR: dataDirFor(t) })
    const output = await tourOutput(t, new URL(example.url).port)
    assertTour(output, new RegExp(`^Walking the example that runs at ${example.url}\\.`))
    assert.match(output, new RegExp(`POST ${example.url}/logout`))
  })
})

/**
 * Sends a refresh for each session and kills the process after the given number of milliseconds, or
 * when the first reply has arrived. Returns the replies that arrived completely, and undefined for
 * the others.
 */
async function killAmidRefreshes(example: ExampleProcess, sessions: Tokens[], moment: number | 'first reply') {
  let heard = () => {}
  const firstReply = new Promise<void>((resolve) => (heard = resolve))
  const sent = sessions.map(({ refresh_token }) => sendRefresh(example.url, refresh_token, heard))
  await Promise.all(sent.map(({ written }) => written))
  await (moment === 'first reply' ? firstReply : delay(moment))
  assert.equal(await example.end('SIGKILL'), null)
  return Promise.all(sent.map(({ reply }) => reply))
}

function sendRefresh(url: string, refreshToken: string, heard: () => void) {
  const outgoing = request(`${url}/refresh`, {
    method: 'POST',
    // The user agent of `fetch`, which sends the retries. Another user agent would be another
    // origin and get a different token.
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'node' },
    agent: false,
  })
  const reply = new Promise<Tokens | undefined>((resolve) => {
    outgoing.on('error', () => resolve(undefined))
    outgoing.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => (text += part))
      response.on('error', () => resolve(undefined))
      response.on('end', () => {
        resolve(JSON.parse(text))
        heard()
      })
    })
  })
  const written = new Promise<void>((resolve) => {
    outgoing.on('error', () => resolve())
    outgoing.end(JSON.stringify({ refresh_token: refreshToken }), () => resolve())
  })
  return { reply, written }
}

async function busyPort(t: TestContext): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return String((server.address() as { port: number }).port)
}

/** A port on which nothing is listening. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return String(port)
}

async function tourOutput(t: TestContext, port: string): Promise<string> {
  const { child, closed, output } = run(TOUR, { PORT: port })
  t.after(() => child.kill('SIGKILL'))
  assert.equal(await closed, 0, output())
  return output()
}

function assertTour(output: string, opening: RegExp): void {
  assert.match(output, opening)
  const steps = [
    'Log in',
    'The profile',
    'A tampered token',
    'An expired token',
    'Refresh',
    'A replayed refresh token',
    'Log out',
  ]
  for (const [index, step] of steps.entries()) assert.match(output, new RegExp(`^${index + 1}\\. ${step}`, 'm'))
  assert.equal(output.match(/^-> /gm)?.length, steps.length)
  for (const code of ['token_signature_invalid', 'token_expired', 'token_revoked'])
    assert.ok(output.includes(`code: ${code}`))
  for (const reason of ['replayed', 'session_revoked']) assert.ok(output.includes(`reason: ${reason}`))
  assert.doesNotMatch(output, /eyJ[\w-]{20,}|swr_[\w-]{20,}/, 'a whole token is printed')
}
