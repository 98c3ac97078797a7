import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import type { Jwk, KeysNews, RemoteJWKSetOptions, SigningKey } from '@sealwax/jwt'
import { createLocalJWKSet, createRemoteJWKSet, exportJwk, generateKey, JwtError, sign, verify } from '@sealwax/jwt'
import { craft, header, rsaJwk, secret } from './craft.ts'

const anyone = { issuer: null, audience: null, typ: null }
const one = await generateKey('ES256', { kid: 'one' })
const two = await generateKey('Ed25519', { kid: 'two' })
const three = await generateKey('ES256', { kid: 'three' })
const good = { keys: [exportJwk(one)] }
const both = { keys: [exportJwk(one), exportJwk(two)] }
const tokenOf = (key: SigningKey) => sign({}, key, { ...anyone, expiresIn: 60 })
const byOne = tokenOf(one)
const byTwo = tokenOf(two)

type Answer = (response: ServerResponse, request: IncomingMessage) => void
let answer: Answer
let requests: IncomingMessage[] = []
let clock: number

const json =
  (body: unknown, headers: Record<string, string> = {}, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
const down: Answer = (response) => response.destroy()

const server = createServer((request, response) => {
  requests.push(request)
  answer(response, request)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
after(() => {
  server.close()
  server.closeAllConnections()
})

beforeEach(() => {
  requests = []
  clock = 1_800_000_000_000
  answer = json(good)
})

const remote = (options: RemoteJWKSetOptions = {}, at: string | URL = url) =>
  createRemoteJWKSet(at, { now: () => clock, ...options })

/**
 * Asserts that a call throws or rejects because there are no keys. Returns the message of the
 * cause.
 */
async function unavailable(call: () => unknown): Promise<string> {
  let thrown: unknown
  try {
    await call()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof JwtError, String(thrown))
  assert.equal(thrown.code, 'ERR_JWT_KEYS_UNAVAILABLE')
  return String(thrown.cause)
}

test('createRemoteJWKSet: requests nothing before the first token, then once, and then returns the keys without waiting', async () => {
  const keys = remote()
  assert.equal(requests.length, 0)
  const first = keys.keysFor(byOne)
  assert.ok(first instanceof Promise)
  const set = await first
  assert.equal(verify(byOne, set, anyone).header.kid, 'one')
  assert.equal(keys.keysFor(byOne), set)
  assert.equal(requests.length, 1)
  assert.match(requests[0]?.headers.accept ?? '', /application\/jwk-set\+json/)
})

test('createRemoteJWKSet: accepts a URL object', async () => {
  assert.ok(verify(byOne, await remote({}, new URL(url)).keysFor(byOne), anyone))
})

test('createRemoteJWKSet: a hundred first tokens make one request', async () => {
  const keys = remote()
  const sets = await Promise.all(Array.from({ length: 100 }, () => keys.keysFor(byOne)))
  assert.equal(new Set(sets).size, 1)
  assert.equal(requests.length, 1)
})

test('createRemoteJWKSet: an unknown kid causes a request, one per cool-down for any number of kids', async () => {
  const keys = remote()
  await keys.keysFor(byOne)
  clock += 30_000
  answer = json(both)
  assert.ok(verify(byTwo, await keys.keysFor(byTwo), anyone))
  assert.equal(requests.length, 2)
  for (let i = 0; i < 500; i++) {
    clock += 59 // 29.5 s in all
    const set = keys.keysFor(craft({}, { ...header, kid: `invented-${i}` }))
    assert.ok(!(set instanceof Promise))
    assert.throws(() => verify(craft({}, { ...header, kid: `invented-${i}` }), set, anyone), {
      code: 'ERR_JWT_KEY_UNKNOWN',
    })
  }
  assert.equal(requests.length, 2)
  clock += 500
  const flood = Array.from({ length: 500 }, (_, i) => keys.keysFor(craft({}, { ...header, kid: `other-${i}` })))
  assert.ok(!(keys.keysFor(byOne) instanceof Promise), 'a known kid does not wait for requests for unknown kids')
  await Promise.all(flood)
  assert.equal(requests.length, 3)
})

test('createRemoteJWKSet: a value that is not a token is refused without a request', () => {
  const keys = remote()
  for (const token of ['', 'a.b.c', `${byOne}.`, undefined]) {
    assert.throws(() => keys.keysFor(token as string), { code: 'ERR_JWT_MALFORMED' })
  }
  assert.equal(requests.length, 0)
})

test('createRemoteJWKSet: a token without kid, or with an impossible one, gets the fresh set', async () => {
  const keys = remote()
  const set = await keys.keysFor(byOne)
  for (const head of [{ alg: 'ES256' }, { alg: 'ES256', kid: 7 }, { alg: 'ES256', kid: null }]) {
    assert.equal(keys.keysFor(craft({}, head)), set)
  }
})

test('createRemoteJWKSet: a set is cached for ten minutes, then requested again without a removed key', async () => {
  const keys = remote()
  answer = json(both)
  await keys.keysFor(byTwo)
  clock += 599_999
  assert.ok(!(keys.keysFor(byTwo) instanceof Promise))
  answer = json(good)
  clock += 1
  const set = await keys.keysFor(byTwo)
  assert.equal(requests.length, 2)
  assert.throws(() => verify(byTwo, set, anyone), { code: 'ERR_JWT_KEY_UNKNOWN' })
})

const lifetimes: [name: string, headers: Record<string, string>, seconds: number, options?: RemoteJWKSetOptions][] = [
  ['a shorter max-age', { 'cache-control': 'public, Max-Age=60' }, 60],
  ['max-age minus Age', { 'cache-control': 'max-age=100', age: '40' }, 60],
  ['the shorter of two max-age', { 'cache-control': 'max-age=300, max-age="45"' }, 45],
  ['no max-age over the default', { 'cache-control': 'max-age=86400' }, 600],
  ['no max-age over the option', { 'cache-control': 'max-age=86400' }, 120, { cacheMaxAge: '2m' }],
  ['no-store as one cool-down', { 'cache-control': 'no-store' }, 30],
  ['no-cache as one cool-down', { 'cache-control': 'no-cache, max-age=100' }, 30],
  ['max-age=0 as one cool-down', { 'cache-control': 'max-age=0' }, 40, { coolDown: '40s' }],
  ['a max-age that is not a number as one cool-down', { 'cache-control': 'max-age=soon' }, 30],
  ['s-maxage not at all', { 'cache-control': 's-maxage=31' }, 600],
]

for (const [name, headers, seconds, options] of lifetimes) {
  test(`createRemoteJWKSet: follows ${name} (RFC 9111)`, async () => {
    answer = json(good, headers)
    const keys = remote(options)
    await keys.keysFor(byOne)
    clock += seconds * 1000 - 1
    assert.ok(!(keys.keysFor(byOne) instanceof Promise))
    clock += 1
    assert.ok(keys.keysFor(byOne) instanceof Promise)
    await keys.keysFor(byOne)
    assert.equal(requests.length, 2)
  })
}

test('createRemoteJWKSet: setting the clock back does not extend the cache', async () => {
  const keys = remote()
  await keys.keysFor(byOne)
  clock -= 3_600_000
  assert.ok(keys.keysFor(byOne) instanceof Promise)
  await keys.keysFor(byOne)
  assert.ok(!(keys.keysFor(byOne) instanceof Promise))
})

test('createRemoteJWKSet: the last valid set stays in use while requests fail, and only the first failure is awaited', async () => {
  const keys = remote()
  const set = await keys.keysFor(byOne)
  for (const failing of [down, json({ keys: [] }), json(good, {}, 500)]) {
    answer = failing
    clock += 600_000
    assert.equal(await keys.keysFor(byOne), set)
    assert.equal(keys.keysFor(byOne), set)
  }
  const before = requests.length
  clock += 86_400_000
  answer = json(both)
  assert.equal(keys.keysFor(byOne), set, 'returned immediately, since requests have been failing')
  const renewed = await keys.keysFor(byTwo)
  assert.equal(requests.length, before + 1)
  assert.notEqual(renewed, set)
  assert.ok(verify(byTwo, renewed, anyone))
})

test('createRemoteJWKSet: a failed request is not repeated within the cool-down', async () => {
  const keys = remote()
  await keys.keysFor(byOne)
  answer = down
  clock += 600_000
  await keys.keysFor(byOne)
  assert.equal(requests.length, 2)
  clock += 29_999
  keys.keysFor(byOne)
  keys.keysFor(byTwo)
  assert.equal(requests.length, 2)
  clock += 1
  await keys.keysFor(byTwo)
  assert.equal(requests.length, 3)
})

test('createRemoteJWKSet: without any valid response it throws unavailable, and retries after 5 seconds', async () => {
  answer = down
  const keys = remote()
  const failures = await Promise.all([1, 2, 3].map(() => unavailable(() => keys.keysFor(byOne))))
  assert.match(failures[0] ?? '', /fetch failed/)
  clock += 4999
  await unavailable(() => keys.keysFor(byOne))
  assert.equal(requests.length, 1)
  clock += 1
  answer = json(good)
  assert.ok(verify(byOne, await keys.keysFor(byOne), anyone))
  assert.equal(requests.length, 2)
})

const rsa = rsaJwk()
const publicRsa: Jwk = { kty: 'RSA', kid: 'rsa', n: rsa.n ?? '', e: 'AQAB' }
const oct: Jwk = { kty: 'oct', kid: 'hs-1', alg: 'HS256', k: secret.toString('base64url') }

const badAnswers: [name: string, answer: Answer, cause: RegExp][] = [
  ['a redirect', json(good, { location: '/keys' }, 302), /the response status is 302/],
  ['204', (response) => response.writeHead(204).end(), /the response status is 204/],
  ['206', json(good, {}, 206), /the response status is 206/],
  ['404', json(good, {}, 404), /the response status is 404/],
  ['500', json(good, {}, 500), /the response status is 500/],
  ['HTML', (response) => response.end('<html>'), /not JSON/],
  ['nothing', (response) => response.end(), /not JSON/],
  ['invalid UTF-8', (response) => response.end(Buffer.from('{"keys":[],"a":"\xff"}', 'latin1')), /not valid|invalid/i],
  ['a list', json([exportJwk(one)]), /a list named keys/],
  ['no keys', json({ keys: [] }), /no key that can verify/],
  [
    'two keys with one kid',
    json({ keys: [exportJwk(one), { ...exportJwk(three), kid: 'one' }] }),
    /no key that can verify/,
  ],
  ['only secrets', json({ keys: [oct] }), /no key that can verify/],
  ['a private key', json({ keys: [exportJwk(one, { private: true })] }), /no key that can verify/],
  ['257 keys', json({ keys: Array.from({ length: 257 }, () => ({ kty: 'x' })) }), /more than 256 keys/],
  ['more than 256 KiB', json({ ...good, padding: 'x'.repeat(262_144) }), /larger than 262144/],
  [
    'a truncated body',
    (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"keys"')
      setTimeout(() => response.destroy(), 10)
    },
    /terminated/,
  ],
]

for (const [name, bad, cause] of badAnswers) {
  test(`createRemoteJWKSet: refuses a response that is ${name}`, async () => {
    answer = bad
    assert.match(await unavailable(() => remote().keysFor(byOne)), cause)
    assert.equal(requests.length, 1)
  })
}

test('createRemoteJWKSet: accepts 256 KiB, compressed or not, and counts octets after decompression', async () => {
  const padded = (size: number) => JSON.stringify(good).replace(/}$/, `,"p":"${'x'.repeat(size)}"}`)
  const frame = padded(0).length
  answer = (response) => response.end(padded(262_144 - frame))
  assert.ok(await remote().keysFor(byOne))
  const { gzipSync } = await import('node:zlib')
  answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(padded(10_000_000)))
  assert.match(await unavailable(() => remote().keysFor(byOne)), /larger than 262144/)
})

test('createRemoteJWKSet: keys that are weak, malformed or unsupported are left out, and the valid keys are kept', async () => {
  const keys = [
    { kty: 'EC', crv: 'secp256k1', kid: 'k', x: 'AA', y: 'AA' },
    { ...publicRsa, kid: 'enc', use: 'enc' },
    { ...publicRsa, kid: 'e1', e: 'AQ' },
    { kty: 'EC', crv: 'P-256', kid: 'off', x: 'A'.repeat(43), y: 'A'.repeat(43) },
    exportJwk(one),
    publicRsa,
  ]
  answer = json({ keys })
  const set = await remote().keysFor(byOne)
  assert.deepEqual(
    set.keys.map(({ kid }) => kid),
    ['one', 'rsa'],
  )
})

test('createRemoteJWKSet: with issuer, a key that names another issuer is left out, and {tenantid} is any tenant', async () => {
  const issuer = 'https://login.example.com/t-1/v2.0'
  const named: readonly [issuer: unknown, isUsed: boolean][] = [
    [issuer, true],
    ['https://login.example.com/{tenantid}/v2.0', true],
    [undefined, true],
    [7, true],
    ['https://login.example.com/t-2/v2.0', false],
    ['https://login.example.org/{tenantid}/v2.0', false],
    ['https://login.example.com/{tenantid}/v1.0', false],
    ['https://{tenantid}', false],
    ['https://login.example.com/t-1/v2.0{tenantid}', false],
    ['{tenantid}https://login.example.com/t-1/v2.0/{tenantid}', false],
  ]
  for (const [name, isUsed] of named) {
    answer = json({ keys: [{ ...exportJwk(one), issuer: name }, exportJwk(two)] })
    const set = await remote({ issuer }).keysFor(byTwo)
    assert.equal(set.get('one') !== undefined, isUsed, String(name))
    if (!isUsed) assert.deepEqual(set.leftOut, [{ kid: 'one', reason: 'it belongs to another issuer' }])
    assert.ok((await remote().keysFor(byTwo)).get('one'), 'without the option, nothing is left out')
  }
})

test('createRemoteJWKSet: onKeys is called after every request with the keys, those left out and why, or the failure', async () => {
  const heard: KeysNews[] = []
  const keys = remote(
    {
      onKeys(news) {
        heard.push(news)
        throw new Error('dropped')
      },
    },
    `${url}?api_key=hush`,
  )
  answer = json({ keys: [exportJwk(one), { ...publicRsa, e: 'AQ' }, oct] })
  await keys.keysFor(byOne)
  assert.deepEqual(heard.splice(0), [
    {
      url,
      keys: [{ kid: 'one', alg: 'ES256' }],
      leftOut: [
        { kid: 'rsa', reason: 'the exponent of an RSA key must be odd, at least 3, and fit in 32 bits' },
        { kid: 'hs-1', reason: 'a published set must not have a secret' },
      ],
    },
  ])
  answer = down
  clock += 600_000
  await keys.keysFor(byOne)
  assert.equal(heard[0]?.error?.code, 'ERR_JWT_KEYS_UNAVAILABLE')
  assert.ok(!JSON.stringify(heard).includes('hush'))
})

test('createRemoteJWKSet: newerThan requests the set again after a signature did not verify, once per cool-down', async () => {
  const keys = remote()
  const before = await keys.keysFor(byOne)
  assert.equal(keys.newerThan(before), undefined, 'within the cool-down')
  answer = json({ keys: [{ ...exportJwk(three), kid: 'one' }] })
  clock += 30_000
  const flood = Array.from({ length: 100 }, () => keys.newerThan(before))
  const [after] = await Promise.all(flood)
  assert.equal(requests.length, 2)
  assert.ok(after !== undefined && after !== before)
  assert.equal(keys.newerThan(before), after, 'later calls get it immediately')
  for (let i = 0; i < 100; i++) assert.equal(keys.newerThan(after), undefined)
  assert.equal(requests.length, 2)
  answer = down
  clock += 30_000
  assert.equal(await keys.newerThan(after), after, 'the last valid set stays in use')
  keys.close()
  assert.equal(keys.newerThan(before), undefined)
})

test('createRemoteJWKSet: a request that does not finish is aborted after the timeout', async () => {
  answer = (response) => response.writeHead(200).write('{')
  const started = performance.now()
  assert.match(await unavailable(() => remote({ timeout: '1s' }).keysFor(byOne)), /no response within 1000 ms/)
  assert.ok(performance.now() - started < 3000)
})

test('createRemoteJWKSet: keys of two URLs with the same kid stay separate (CVE-2026-49998, Centrifugo)', async () => {
  const impostor = await generateKey('ES256', { kid: 'one' })
  answer = (response, request) =>
    json(request.url === '/keys' ? good : { keys: [exportJwk(impostor)] })(response, request)
  const mine = remote()
  const theirs = remote({}, `${url}/theirs`)
  const [ours, foreign] = await Promise.all([mine.keysFor(byOne), theirs.keysFor(byOne)])
  assert.ok(verify(byOne, ours, anyone))
  assert.throws(() => verify(byOne, foreign, anyone), { code: 'ERR_JWT_SIGNATURE' })
  assert.throws(() => verify(tokenOf(impostor), ours, anyone), { code: 'ERR_JWT_SIGNATURE' })
})

test('createRemoteJWKSet: close aborts the running request, and later calls fail', async () => {
  let ended = false
  answer = (response) => response.on('close', () => (ended = true))
  const keys = remote()
  const waiting = unavailable(() => keys.keysFor(byOne))
  while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  keys.close()
  await waiting
  await unavailable(() => keys.keysFor(byOne))
  while (!ended) await new Promise((resolve) => setTimeout(resolve, 5))
  keys.close()
})

test('createRemoteJWKSet: after close, later calls fail even if the set was valid', async () => {
  const keys = remote()
  await keys.keysFor(byOne)
  keys.close()
  await unavailable(() => keys.keysFor(byOne))
})

test('createRemoteJWKSet: close aborts the request of a refresh, too', async () => {
  const keys = remote()
  await keys.keysFor(byOne)
  clock += 600_000
  answer = () => {}
  const waiting = unavailable(() => keys.keysFor(byOne))
  keys.close()
  await waiting
})

test('createRemoteJWKSet: does not keep an idle process alive', async () => {
  const program = `import { createRemoteJWKSet } from '@sealwax/jwt'
    const keys = createRemoteJWKSet('https://127.0.0.1:9/')
    await Promise.resolve(keys.keysFor('eyJhbGciOiJIUzI1NiJ9.e30.AA')).catch(({ code }) => console.log(code))`
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=@sealwax/source', '--input-type=module', '-e', program],
    {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 10_000,
    },
  )
  assert.equal(stdout, 'ERR_JWT_KEYS_UNAVAILABLE\n')
  assert.equal(status, 0)
})

test('createRemoteJWKSet: the message contains the URL without the query', async () => {
  answer = down
  const keys = remote({}, `${url}?api_key=hush`)
  await assert.rejects(async () => keys.keysFor(byOne), { message: `no keys could be fetched from ${url}` })
})

const call = createRemoteJWKSet as unknown as (...args: unknown[]) => unknown

for (const wrong of [
  undefined,
  '',
  '/keys',
  'http://example.com/keys',
  'http://127.0.0.1.example.com/keys',
  'http://localhost.example.com/',
  'http://[::2]/',
  'ftp://127.0.0.1/',
  'file:///etc/passwd',
  'data:application/json,{}',
  'https://user@example.com/',
  'https://:secret@example.com/',
  'https://example.com/#keys',
  { href: 'https://example.com/' },
]) {
  test(`createRemoteJWKSet: refuses ${JSON.stringify(wrong)} as its URL`, () => {
    assert.throws(() => call(wrong), { code: 'ERR_JWT_OPTION' })
  })
}

test('createRemoteJWKSet: accepts https for any host, http only on loopback', () => {
  for (const right of ['https://example.com/jwks?x=1', 'http://localhost:1/', 'http://127.1/', 'http://[::1]/'])
    call(right)
})

test('createRemoteJWKSet: refuses unknown, undefined and invalid options', () => {
  for (const options of [
    null,
    { cacheMaxAge: undefined },
    { cacheMaxAge: 0 },
    { cacheMaxAge: '2d' },
    { coolDown: 0 },
    { coolDown: 0.5 },
    { timeout: 0 },
    { timeout: '2m' },
    { timeout: '5' },
    { now: 5 },
    { onKeys: 5 },
    { issuer: 5 },
    { issuer: '' },
    { headers: {} },
  ]) {
    assert.throws(() => call('https://example.com/', options), { code: 'ERR_JWT_OPTION' })
  }
})

test('createRemoteJWKSet: keysFor returns a key set like createLocalJWKSet', async () => {
  const set = await remote().keysFor(byOne)
  assert.ok(Object.isFrozen(set))
  assert.deepEqual(set.keys, createLocalJWKSet(good).keys)
})

test('createRemoteJWKSet: fetch makes the requests, with the URL, the header fields and the signal', async () => {
  const seen: [string, RequestInit][] = []
  answer = (response, request) =>
    json(good, {}, request.headers.authorization === 'Bearer sa' ? 200 : 403)(response, request)
  assert.match(await unavailable(() => remote().keysFor(byOne)), /status is 403/)
  const keys = remote({
    fetch(at, init) {
      seen.push([at, init])
      return fetch(at, { ...init, headers: { ...init.headers, authorization: 'Bearer sa' } })
    },
  })
  assert.equal(verify(byOne, await keys.keysFor(byOne), anyone).header.kid, 'one')
  assert.equal(seen[0]?.[0], url)
  assert.equal(seen[0]?.[1].redirect, 'manual')
  assert.ok(seen[0]?.[1].signal instanceof AbortSignal)
})

test('createRemoteJWKSet: a fetch that throws or rejects is a failed request', async () => {
  const failing = [
    () => {
      throw new Error('no proxy')
    },
    () => Promise.reject(new Error('no proxy')),
  ]
  for (const fetch of failing) assert.match(await unavailable(() => remote({ fetch }).keysFor(byOne)), /no proxy/)
})

test('createRemoteJWKSet: plain http needs loopback, or allowHttp with exactly this origin', async () => {
  const at = (address: string, allowHttp?: readonly string[]) =>
    createRemoteJWKSet(address, allowHttp === undefined ? {} : { allowHttp })
  for (const address of ['http://localhost:1/', 'http://auth.localhost/', 'http://127.0.0.2/', 'http://[::1]/']) {
    assert.ok(at(address), address)
  }
  assert.ok(at('http://keycloak:8080/certs', ['http://other', 'http://keycloak:8080']))
  const refused: readonly [string, (readonly string[])?][] = [
    ['http://keycloak:8080/certs'],
    ['http://keycloak:8080/certs', ['http://keycloak']],
    ['http://keycloak:8081/certs', ['http://keycloak:8080']],
    ['http://keycloak.evil:8080/certs', ['http://keycloak:8080']],
    ['ftp://keycloak/certs', ['http://keycloak']],
    ['http://localhost.evil/', ['http://keycloak']],
  ]
  for (const [address, allowHttp] of refused) {
    assert.throws(() => at(address, allowHttp), { code: 'ERR_JWT_OPTION', message: /url must be https/ }, address)
  }
  const reach = (_url: string, init: RequestInit) => fetch(url, init)
  const keys = remote({ allowHttp: ['http://keycloak:8080'], fetch: reach }, 'http://keycloak:8080/certs')
  assert.equal(verify(byOne, await keys.keysFor(byOne), anyone).header.kid, 'one')
})
