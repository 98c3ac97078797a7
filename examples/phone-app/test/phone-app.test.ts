import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Program, startProgram } from '../../frameworks/test/program.ts'
import { call } from '../../learning-platform/test/process.ts'

const APP = join(import.meta.dirname, '../src/app.ts')

describe('phone app', () => {
  const storage = join(mkdtempSync(join(tmpdir(), 'phone-app-')), 'storage')
  let server: Program
  before(async () => {
    server = await startProgram(join(import.meta.dirname, '../src/server.ts'))
  })
  after(() => {
    server.kill()
    rmSync(join(storage, '..'), { recursive: true })
  })

  function open(...screen: string[]) {
    const { port } = new URL(server.url)
    const child = spawn(process.execPath, ['--conditions=@sealwax/source', APP, ...screen], {
      env: { PATH: process.env.PATH, PORT: port, STORAGE: storage },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    const closed = once(child, 'close').then(([code]) => ({ code: code as number | null, output: output.trim() }))
    return { child, closed }
  }

  /** Starts the app, and asserts what it prints. */
  async function assertPrints(expected: string | RegExp, ...screen: string[]): Promise<void> {
    const { output } = await open(...screen).closed
    if (typeof expected === 'string') assert.equal(output, expected)
    else assert.match(output, expected)
  }

  /** A process that is killed while it writes leaves a draft. */
  const files = () => readdirSync(storage).filter((name) => !name.includes('.draft-'))
  const valuesInStorage = () => files().map((name) => readFileSync(join(storage, name), 'utf8'))
  const storedToken = () => valuesInStorage().find((value) => value.startsWith('swr_')) ?? ''
  const requests = (line: RegExp) => server.output().match(line)?.length ?? 0

  it('nobody is logged in at first, and a wrong password changes nothing', async () => {
    await assertPrints('Nobody is logged in')
    await assertPrints(/^logged_out: /, 'profile')
    await assertPrints(/^invalid_credentials: /, 'log-in', 'alex@example.com', 'another password, not that')
    await assertPrints('Nobody is logged in')
  })

  it('after a log-in, each start of the app is logged in', async () => {
    await assertPrints('Logged in: user-123', 'log-in')
    await assertPrints('Logged in: user-123')
    await assertPrints("{ user_id: 'user-123', message: 'Protected profile' }", 'profile')
  })

  it('only the owner can read the files, and no access token is in them', () => {
    assert.equal(statSync(storage).mode & 0o777, 0o700)
    const names = readdirSync(storage)
    assert.ok(names.length >= 3)
    for (const name of names) assert.equal(statSync(join(storage, name)).mode & 0o777, 0o600, name)
    assert.ok(valuesInStorage().every((value) => !value.includes('eyJ')))
  })

  it('twenty requests at the same time need one refresh', async () => {
    const [refreshes, lessons] = [requests(/^POST \/refresh 200$/gm), requests(/^GET \/lessons\/\d+ 200$/gm)]
    await assertPrints('20 lessons', 'lessons')
    assert.equal(requests(/^POST \/refresh 200$/gm), refreshes + 1)
    assert.equal(requests(/^GET \/lessons\/\d+ 200$/gm), lessons + 20)
  })

  it('apps that run at the same time, or are killed at any moment, stay logged in', async () => {
    for (let round = 0; round < 3; round += 1) {
      const opened = Array.from({ length: 3 }, () => open('lessons'))
      await delay(150 + 150 * round)
      opened[0]?.child.kill('SIGKILL')
      for (const { closed } of opened.slice(1)) assert.deepEqual(await closed, { code: 0, output: '20 lessons' })
      await opened[0]?.closed
    }
    await assertPrints('Logged in: user-123')
  })

  it('the API refuses requests without a token and with a wrong one', async () => {
    assert.equal((await call(server.url, '/profile')).status, 401)
    assert.equal((await call(server.url, '/profile', { token: storedToken() })).status, 401)
  })

  it('a log-out deletes the refresh token, and the server refuses the tokens of the session', async () => {
    const refreshToken = storedToken()
    const { body } = await call(server.url, '/refresh', { body: { refresh_token: refreshToken } })
    assert.equal((await call(server.url, '/profile', { token: body.access_token })).status, 200)
    await assertPrints('Logged out', 'log-out')
    assert.equal(storedToken(), '')
    await assertPrints('Nobody is logged in')
    assert.equal((await call(server.url, '/profile', { token: body.access_token })).body.code, 'token_revoked')
    const refused = await call(server.url, '/refresh', { body: { refresh_token: refreshToken } })
    assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_grant'])
  })

  it('a refresh token that was changed in the storage is refused, and the app shows that nobody is logged in', async () => {
    await assertPrints('Logged in: user-123', 'log-in')
    for (const name of files()) {
      const value = readFileSync(join(storage, name), 'utf8')
      if (value.startsWith('swr_')) writeFileSync(join(storage, name), `${value.slice(0, -4)}AAAA`)
    }
    await assertPrints('Nobody is logged in')
  })

  it('without a network, the app says so and stays logged in', async () => {
    await assertPrints('Logged in: user-123', 'log-in')
    assert.equal(await server.end(), 0)
    await assertPrints(/^unreachable: /, 'profile')
    assert.match(storedToken(), /^swr_/)
  })
})
