import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { forgedTokens } from '@sealwax/guard/testing'
import { type Program, startProgram } from '../../frameworks/test/program.ts'
import { call } from '../../learning-platform/test/process.ts'
import { joinChat } from '../src/chat-client.ts'

const SERVER = join(import.meta.dirname, '../src/server.ts')
const password = 'change-this-demo-password'
const ALEX = { email: 'alex@example.com', password }
const BOB = { email: 'bob@example.com', password }

/** Opens a socket and sends messages. `heard` collects what arrives until it is closed. */
async function connect(t: TestContext, url: string, ...messages: string[]) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat`)
  t.after(() => socket.close())
  const heard: string[] = []
  socket.addEventListener('message', ({ data }) => heard.push(String(data)))
  const closed = once(socket, 'close').then(([{ code, reason }]) => [code, reason] as [number, string])
  await once(socket, 'open')
  for (const message of messages) socket.send(message)
  return { socket, heard, closed }
}

const authenticate = (token: string) => JSON.stringify({ type: 'authenticate', token })

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const began = performance.now(); !condition(); await delay(5)) {
    if (performance.now() - began > 5000) throw new Error(`not within 5 seconds: ${what}`)
  }
}

describe('websocket', () => {
  let program: Program
  before(async () => {
    program = await startProgram(SERVER)
  })
  after(() => program.kill())

  const logIn = async (user: typeof ALEX) => (await call(program.url, '/login', { body: user })).body

  it('users who are logged in hear each other', async (t) => {
    const heard: string[] = []
    const hear = (from: string, text: string) => void heard.push(`${from}: ${text}`)
    const alex = await joinChat(program.url, ALEX, hear)
    const bob = await joinChat(program.url, BOB, () => {})
    t.after(() => Promise.all([alex.logOut(), bob.logOut()]))
    bob.say('hello')
    alex.say('{"type":"message","from":"user-456","text":"not from bob"}')
    await until(() => heard.length === 2, 'two messages')
    assert.deepEqual(heard, ['user-456: hello', 'user-123: {"type":"message","from":"user-456","text":"not from bob"}'])
  })

  it('a log-out closes the sockets of that session within a second, and no others', async (t) => {
    const [one, other] = [await logIn(ALEX), await logIn(ALEX)]
    const left = await connect(t, program.url, authenticate(one.access_token))
    const stays = await connect(t, program.url, authenticate(other.access_token))
    await until(() => left.heard.length + stays.heard.length === 2, 'both are ready')
    const began = performance.now()
    const { status } = await call(program.url, '/logout', { body: { refresh_token: one.refresh_token } })
    assert.equal(status, 204)
    assert.deepEqual(await left.closed, [4401, 'token_revoked'])
    assert.ok(performance.now() - began < 1000)
    stays.socket.send('still here')
    await until(() => stays.heard.length === 2, 'the other session goes on')
    assert.equal(left.heard.length, 1, 'a closed socket hears nothing')
    const late = await connect(t, program.url, authenticate(one.access_token))
    assert.deepEqual(await late.closed, [4401, 'token_revoked'])
  })

  it('a socket without an accepted token hears nothing and is closed', async (t) => {
    const { access_token: token } = await logIn(ALEX)
    const { body: jwks } = await call(program.url, '/.well-known/jwks.json')
    const refused: [message: string, reason: RegExp][] = [
      ['hello', /^token_missing$/],
      ['{"type":"authenticate"}', /^token_missing$/],
      [authenticate('nonsense'), /^token_malformed$/],
      ...forgedTokens(token, jwks.keys[0]).map((each): [string, RegExp] => [authenticate(each.token), /^token_/]),
    ]
    for (const [message, reason] of refused) {
      const { heard, closed } = await connect(t, program.url, message)
      const [code, why] = await closed
      assert.equal(code, 4401, message)
      assert.match(why, reason)
      assert.deepEqual(heard, [])
    }
  })

  it('a socket hears nothing until its token is accepted', async (t) => {
    const { access_token: token } = await logIn(ALEX)
    const silent = await connect(t, program.url)
    const speaker = await connect(t, program.url, authenticate(token))
    await until(() => speaker.heard.length === 1, 'ready')
    speaker.socket.send('for those who are logged in')
    await until(() => speaker.heard.length === 2, 'the own message')
    silent.socket.send(authenticate(token))
    await until(() => silent.heard.length === 1, 'ready')
    assert.equal(silent.heard[0], '{"type":"ready","user_id":"user-123"}')
  })

  it('a message that is too long ends only its own socket', async (t) => {
    const { access_token: token } = await logIn(ALEX)
    const { heard, socket, closed } = await connect(t, program.url, authenticate(token))
    await until(() => heard.length === 1, 'ready')
    socket.send('x'.repeat(64 * 1024 + 1))
    assert.notEqual((await closed)[0], 4401)
    assert.equal((await call(program.url, '/profile', { token })).status, 200)
  })

  it('GET /profile is guarded, and a refresh gives another token for it', async () => {
    const { access_token: token, refresh_token } = await logIn(BOB)
    assert.equal((await call(program.url, '/profile')).status, 401)
    assert.equal((await call(program.url, '/profile', { token: `${token}x` })).status, 401)
    assert.equal((await call(program.url, '/profile', { token })).body.user_id, 'user-456')
    const { body } = await call(program.url, '/refresh', { body: { refresh_token } })
    assert.equal((await call(program.url, '/profile', { token: body.access_token })).status, 200)
  })

  it('npm run chat: sends lines, and shows why it was closed', async (t) => {
    const { port } = new URL(program.url)
    const child = spawn(process.execPath, [join(import.meta.dirname, '../src/chat.ts'), BOB.email], {
      env: { PATH: process.env.PATH, PORT: port },
    })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.stdin.write('hello from a terminal\n')
    await until(() => output.includes('user-456: hello from a terminal'), output)
    child.stdin.write('/logout\n')
    const [code] = await once(child, 'close')
    assert.equal(code, 0, output)
    assert.match(output, /closed the socket \d{1,3} ms after/)
    assert.match(output, /^Closed: 4401 token_revoked$/m)
  })

  it('SIGTERM ends the program with code 0, also with open sockets', async (t) => {
    const { access_token: token } = await logIn(ALEX)
    const { closed, heard } = await connect(t, program.url, authenticate(token))
    await until(() => heard.length === 1, 'ready')
    assert.equal(await program.end(), 0, program.output())
    assert.equal((await closed)[0], 1001)
  })
})

it('websocket: a socket with an expired token is closed, unless the client sends a newer one', async (t) => {
  const program = await startProgram(SERVER, { ACCESS_TTL: '2s' })
  t.after(() => program.kill())
  const { access_token: token } = (await call(program.url, '/login', { body: ALEX })).body
  const forgetful = await connect(t, program.url, authenticate(token))
  const heard: string[] = []
  const chat = await joinChat(program.url, BOB, (_from, text) => void heard.push(text))
  assert.deepEqual(await forgetful.closed, [4401, 'token_expired'])
  await delay(2000)
  chat.say('still here')
  await until(() => heard.length === 1, 'the client that renews its token')
  await chat.logOut()
  assert.deepEqual(await chat.closed, { code: 4401, reason: 'token_revoked' })
})
