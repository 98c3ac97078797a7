import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ADA } from '../../src/learn/demo.ts'
import { tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')

/** Starts `sealwax learn` without a browser. */
function learn(t: TestContext, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, 'learn', '--no-open', ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const ready = async () => {
    for (;;) {
      const url = /^The lesson is ready: (\S+)/m.exec(output)?.[1]
      if (url !== undefined) return new URL(url)
      assert.equal(child.exitCode, null, output)
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return { child, ended, ready, output: () => output }
}

test('learn: starts without any setting, prints one line, and ends at once on SIGINT and SIGTERM', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { child, ended, ready, output } = learn(t, ['--port', '0'])
    const url = await ready()
    const { email, password } = ADA
    const login = await fetch(new URL('/login', url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    assert.equal(login.status, 200)
    // The connection of the log-in is kept alive, and this one has sent half a request.
    const socket = connect(Number(url.port), '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET /learn HTTP/1.1\r\n')
    const before = performance.now()
    child.kill(signal)
    assert.equal(await ended, 0)
    assert.ok(performance.now() - before < 1000, `${signal} took ${performance.now() - before} ms`)
    assert.equal(output(), `The lesson is ready: ${url}   (Ctrl-C stops it)\n`)
    socket.destroy()
  }
})

test('learn: ignores the settings of another installation', async (t) => {
  using directory = tempDir()
  const database = join(directory.path, 'production.db')
  const { ready } = learn(t, ['--port', '0'], {
    SEALWAX_ISSUER: 'https://auth.example.com',
    SEALWAX_DATABASE_URL: `sqlite:${database}`,
    SEALWAX_HOST: '0.0.0.0',
    SEALWAX_NO_SUCH_SETTING: 'refused by every other command',
  })
  const url = await ready()
  assert.equal(url.hostname, '127.0.0.1')
  const metadata = await fetch(new URL('/.well-known/oauth-authorization-server', url))
  assert.equal(((await metadata.json()) as { issuer: string }).issuer, url.origin)
  assert.equal(existsSync(database), false)
})

test('learn: a port in use and a wrong port are refused with a sentence', async (t) => {
  const blocker = createServer().listen(0, '127.0.0.1')
  t.after(() => blocker.close())
  await once(blocker, 'listening')
  const { port } = blocker.address() as AddressInfo
  const busy = learn(t, ['--port', String(port)])
  assert.equal(await busy.ended, 1)
  const remedy = `Add --port ${port + 1}, or --port 0 for any free one`
  assert.equal(busy.output(), `sealwax: port ${port} is in use, perhaps by a lesson in another terminal. ${remedy}\n`)
  const wrong = learn(t, ['--port', '70000'])
  assert.equal(await wrong.ended, 1)
  assert.match(wrong.output(), /--port.*It must be a number from 0 to 65535/)
})
