import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { ADA, type Place, startPlace } from './place.ts'

const SOURCE = new URL('../src/index.ts', import.meta.url).href

describe('a client in a program of its own', () => {
  let place: Place
  before(async () => {
    place = await startPlace()
  })
  after(() => place[Symbol.asyncDispose]())

  /** Runs lines in a new process, which must end by itself before the client gives up waiting. */
  async function run(lines: string): Promise<string> {
    const script = `const { createClient } = await import('${SOURCE}')
      const url = '${place.url}', ADA = ${JSON.stringify(ADA)}, print = (value) => console.log(JSON.stringify(value))\n${lines}`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { timeout: 12_000 })
    const [output, errors, [, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    assert.equal(errors, '')
    assert.equal(signal, null, 'the process did not end by itself')
    return output.trim()
  }

  it('Node: a client that was not closed does not keep the process alive', async () => {
    const printed = await run(`
      const storage = { getItem: () => null, setItem() {}, removeItem() {} }
      createClient({ baseUrl: url, mode: 'token', storage })
      const client = createClient({ baseUrl: url })
      await client.login(ADA)
      print((await client.me()).email)`)
    assert.equal(printed, JSON.stringify(ADA.email))
  })

  it('a runtime without BroadcastChannel, or one that refuses it', async () => {
    for (const channel of [
      'undefined',
      'class { constructor() { throw new DOMException("denied", "SecurityError") } }',
    ]) {
      const printed = await run(`
        globalThis.BroadcastChannel = ${channel}
        const items = new Map()
        const storage = { getItem: (key) => items.get(key), setItem: (key, value) => items.set(key, value), removeItem: (key) => items.delete(key) }
        const client = createClient({ baseUrl: url, storage })
        await client.login(ADA)
        await client.logout()
        print(await client.session() ?? 'nobody')`)
      assert.equal(printed, '"nobody"', channel)
    }
  })

  it('a runtime without AbortSignal.timeout, AbortSignal.any and TextDecoder, such as React Native', async () => {
    const printed = await run(`
      // Node's own fetch needs them when it is loaded.
      await fetch(url)
      delete globalThis.TextDecoder
      delete AbortSignal.timeout
      delete AbortSignal.any
      const client = createClient({ baseUrl: url })
      await client.login(ADA)
      print((await (await client.fetch('/api', { method: 'POST', body: 'words' })).json()).body)`)
    assert.equal(printed, '"words"')
  })

  it('a listener that throws fails no request, and its error is not lost', async () => {
    const printed = await run(`
      process.on('uncaughtException', (error) => print(error.message))
      const client = createClient({ baseUrl: url })
      client.onChange(() => { throw new Error('of the application') })
      print((await client.login(ADA)).user.email)`)
    assert.deepEqual(printed.split('\n').sort(), [JSON.stringify(ADA.email), '"of the application"'])
  })

  it('the default mode is cookie in pages and workers, unless there is a storage', async () => {
    place.proxy.seen.splice(0)
    await run(`
      const wrong = { ...ADA, password: 'not the password' }
      const login = (options) => createClient({ baseUrl: url, ...options }).login(wrong).catch(() => {})
      await login()
      globalThis.importScripts = () => {}
      await login()
      await login({ mode: 'token' })
      await login({ storage: { getItem: () => null, setItem() {}, removeItem() {} } })
      delete globalThis.importScripts
      globalThis.document = { baseURI: url }
      await login()`)
    // Clients in one process hear each other. After a failed log-in, those in cookie mode refresh.
    const logins = place.proxy.seen.filter(({ path }) => path === '/login')
    assert.deepEqual(
      logins.map(({ body }) => body.mode),
      ['token', 'cookie', 'token', 'token', 'cookie'],
    )
  })
})
