import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createGuard } from '@sealwax/guard'
import { createDpopVerifier } from '@sealwax/guard/dpop'
import { protect } from '@sealwax/guard/node'
import { createDpopFetch } from '../src/dpop.ts'
import type { ClientStorage } from '../src/index.ts'
import { ADA, codeOf, MINUTE, type Place, startPlace } from './place.ts'

/** What a proof or a token contains. */
function payloadOf(token: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString())
}

describe('a client that binds its session to a key', () => {
  let place: Place
  before(async () => {
    place = await startPlace()
  })
  beforeEach(() => {
    place.closeClients()
    place.proxy.seen.splice(0)
    place.proxy.decide = () => undefined
  })
  after(() => place[Symbol.asyncDispose]())

  const bound = (storage?: ClientStorage) =>
    place.client({ mode: 'token', fetch: createDpopFetch(), ...(storage !== undefined && { storage }) })
  const memory = () => {
    const values = new Map<string, string>()
    return {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
      removeItem: (key: string) => void values.delete(key),
    }
  }

  it('logs in, calls the API, refreshes and logs out with proofs', async () => {
    const client = bound()
    await client.login(ADA)
    const reply = await client.fetch(`${place.url}/api?page=2`, { method: 'PUT', body: 'text' })
    assert.equal(((await reply.json()) as { body: string }).body, 'text')
    const sent = place.proxy.seen.at(-1)
    const [scheme, token] = String(sent?.authorization).split(' ')
    assert.equal(scheme, 'DPoP')
    assert.ok((payloadOf(token).cnf as { jkt: string }).jkt)
    const { htm, htu, ath, jti } = payloadOf(sent?.dpop)
    assert.deepEqual([htm, htu], ['PUT', `${place.url}/api`])
    assert.match(String(ath), /^[\w-]{43}$/)
    assert.match(String(jti), /^[\w-]{22}$/)
    await place.pass(20 * MINUTE)
    assert.equal((await client.me()).email, ADA.email)
    await client.logout()
    assert.equal(await client.session(), undefined)
  })

  it('the clock of the server is ahead by days: one request is repeated with a nonce, then none', async () => {
    await place.pass(5 * 24 * 60 * MINUTE)
    const client = bound()
    await client.login(ADA)
    assert.deepEqual(place.paths(), ['/login', '/login'])
    await client.me()
    await client.fetch(`${place.url}/api`)
    assert.deepEqual(place.paths(), ['/login', '/login', '/me', '/api'])
  })

  it('the machine slept without its monotonic clock: the session goes on', async () => {
    const client = bound()
    await client.login(ADA)
    // Both clocks of the client stand still.
    place.clock.ahead += 30 * MINUTE
    assert.equal((await client.me()).email, ADA.email)
  })

  it('the clock of the machine is set after the log-in: one request is repeated, then none', async () => {
    const { now } = Date
    const paths: string[] = []
    const api = createServer((request, response) => {
      paths.push(request.url ?? '')
      void handler(request, response)
    })
    await new Promise<void>((ready) => api.listen(0, '127.0.0.1', ready))
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    const dpop = createDpopVerifier({ baseUrl: url })
    const clock = { now: () => now() + place.clock.ahead }
    const guard = createGuard({ issuer: place.url, audience: 'api', revocation: null, dpop, ...clock })
    const handler = protect(guard, (_request, response) => response.end())
    try {
      // An hour slow.
      Date.now = () => now() - 60 * MINUTE
      const client = place.client({ mode: 'token', apiOrigins: [url], fetch: createDpopFetch() })
      await client.login(ADA)
      Date.now = now
      assert.equal((await client.fetch(`${url}/one`)).status, 200)
      assert.equal((await client.fetch(`${url}/two`)).status, 200)
      assert.deepEqual(paths, ['/one', '/one', '/two'])
    } finally {
      Date.now = now
      await guard.close()
      api.closeAllConnections()
      api.close()
    }
  })

  it('used alone, it sends no proof with other credentials', async () => {
    const send = createDpopFetch()
    const reply = await send(`${place.url}/oauth/token`, { method: 'POST', headers: { Authorization: 'Basic YTpi' } })
    assert.equal(reply.status, 400)
    assert.equal(place.proxy.seen.at(-1)?.dpop, undefined)
  })

  it('a stolen refresh token is useless without the key, and the session goes on', async () => {
    const storage = memory()
    const client = bound(storage)
    await client.login(ADA)
    const key = `sealwax.${place.url.replace(/\W+/g, '_')}`
    const stolen = storage.getItem(`${key}.${storage.getItem(key)}`)
    const send = (fetch: typeof globalThis.fetch) =>
      fetch(`${place.url}/refresh`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: stolen }),
      })
    assert.equal(((await (await send(fetch)).json()) as { code: string }).code, 'invalid_dpop_proof')
    assert.equal(((await (await send(createDpopFetch())).json()) as { code: string }).code, 'invalid_grant')
    await place.pass(20 * MINUTE)
    assert.equal((await client.me()).email, ADA.email)
  })

  it('a client that has lost its key is logged out, and can log in', async () => {
    const storage = memory()
    await bound(storage).login(ADA)
    place.closeClients()
    const client = bound(storage)
    assert.equal(await client.session(), undefined)
    await client.login(ADA)
    assert.equal((await client.me()).email, ADA.email)
  })

  it('a key pair of the application outlives the process', async () => {
    const keyPair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ])) as CryptoKeyPair
    const storage = memory()
    const open = () => place.client({ mode: 'token', storage, fetch: createDpopFetch({ keyPair }) })
    const { session } = await open().login(ADA)
    place.closeClients()
    assert.deepEqual(await open().session(), session)
  })

  it('a client without proofs keeps its session when it gets them', async () => {
    const storage = memory()
    const { session } = await place.client({ mode: 'token', storage }).login(ADA)
    place.closeClients()
    const client = bound(storage)
    assert.deepEqual(await client.session(), session)
    await client.me()
    assert.match(String(place.proxy.seen.at(-1)?.authorization), /^DPoP /)
  })

  it('a server without proofs is sent bearer tokens', async () => {
    const client = place.client({ mode: 'token', fetch: withoutProofs(createDpopFetch()) })
    await client.login(ADA)
    const reply = await client.fetch(`${place.url}/api`)
    assert.equal(reply.status, 200)
    const sent = place.proxy.seen.at(-1)
    assert.match(String(sent?.authorization), /^Bearer /)
    assert.equal(sent?.dpop, undefined)
  })

  it('a method is in the proof as fetch sends it', async () => {
    const client = bound()
    await client.login(ADA)
    for (const method of ['put', 'PATCH']) {
      assert.equal((await client.fetch(`${place.url}/api`, { method, body: 'text' })).status, 200)
      const sent = place.proxy.seen.at(-1)
      assert.equal(payloadOf(sent?.dpop).htm, sent?.method)
    }
  })

  it('a Request and a stream as the body get a proof, too', async () => {
    const client = bound()
    await client.login(ADA)
    const request = new Request(`${place.url}/api`, { method: 'POST', body: 'text' })
    assert.equal(((await (await client.fetch(request)).json()) as { method: string }).method, 'POST')
    const body = new Blob(['a stream']).stream()
    const streamed = await client.fetch(`${place.url}/api`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    assert.equal(((await streamed.json()) as { body: string }).body, 'a stream')
  })

  it('a proof that is refused is an error with a sentence, and no log-out', async () => {
    const client = bound()
    await client.login(ADA)
    await place.pass(20 * MINUTE)
    const body = JSON.stringify({ code: 'invalid_dpop_proof', title: 'Invalid DPoP proof' })
    place.proxy.decide = ({ path }) => (path === '/refresh' ? { status: 400, body } : undefined)
    assert.equal(await codeOf(client.me()), 'invalid_dpop_proof')
    place.proxy.decide = () => undefined
    assert.equal((await client.me()).email, ADA.email)
  })

  it('without crypto.subtle, it says what it needs', () => {
    const { crypto } = globalThis
    Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true })
    try {
      assert.throws(() => createDpopFetch(), {
        name: 'TypeError',
        message: 'DPoP needs crypto.subtle: https, or http on localhost',
      })
    } finally {
      Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true })
    }
  })
})

/** Takes the proof away from each request without a token, as a server would that ignores it. */
function withoutProofs(send: typeof fetch): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers)
    return headers.has('Authorization') ? send(input, init) : fetch(input, init)
  }
}
