import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { generateKey, sign } from '@sealwax/jwt'
import { attack } from '../../src/attack/attack.ts'

const APP = 'https://app.example.com'

/** What a route answers to an origin. */
type Sharing = (origin: string, isPreflight: boolean) => Record<string, string> | number

const full = (origin: string): Record<string, string> => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Allow-Headers': 'Content-Type, Authorization',
  'Access-Control-Allow-Methods': 'GET, PUT',
  Vary: 'Accept-Encoding, Origin',
})

const token = sign({ sub: 'ann' }, await generateKey('ES256'), { issuer: 'i', audience: 'a', typ: null, expiresIn: 60 })

/** Attacks a route that takes one token, in the header and in a cookie; returns what is found. */
async function faults(t: TestContext, sharing: Sharing, more: { readonly cookie?: string; method?: string } = {}) {
  const { method = 'GET', ...rest } = more
  const server = createServer((req, res) => {
    const { authorization, cookie, origin = '' } = req.headers
    const isPreflight = req.method === 'OPTIONS'
    const headers = origin === '' ? {} : sharing(origin, isPreflight)
    if (typeof headers === 'number') return res.writeHead(headers).end()
    if (isPreflight) return res.writeHead(204, headers).end()
    const isGood = authorization === `Bearer ${token}` || (origin === APP && cookie === `access=${token}`)
    return res.writeHead(isGood && req.method === method ? 200 : 401, headers).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`)
  const { findings } = await attack({ url, method, credentials: { token }, allowed: APP, ...rest })
  return findings.filter(({ name }) => / from (?!nowhere)/.test(name)).map(({ name, fault }) => `${name}: ${fault}`)
}

test('attack: a route that shares with one origin, exactly, is clean with a header and with a cookie', async (t) => {
  const exact: Sharing = (origin) => (origin === APP ? full(origin) : { Vary: 'Origin' })
  assert.deepEqual(await faults(t, exact), [])
  assert.deepEqual(await faults(t, exact, { cookie: 'access', method: 'PUT' }), [])
  const open: Sharing = () => ({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'authorization' })
  assert.deepEqual(await faults(t, open), [], 'a public reply without cookies')
})

test('attack: careless comparisons of origins are found', async (t) => {
  const careless: readonly [rule: (origin: string) => boolean, found: RegExp][] = [
    [() => true, /another site, https:\/\/evil\.example/],
    [(origin) => origin === APP || origin === 'null', /a sandboxed frame, null/],
    [(origin) => origin.startsWith(APP), /starts like .*, https:\/\/app\.example\.com\.evil\.example:/],
    [(origin) => origin.endsWith('app.example.com'), /ends like .*, https:\/\/evilapp\.example\.com:/],
    [(origin) => /^https:\/\/app.example.com$/.test(origin), /a letter for the dot .*, https:\/\/appxexample\.com:/],
    [(origin) => /^https?:\/\/app\.example\.com$/.test(origin), /without TLS .*, http:\/\/app\.example\.com:/],
  ]
  for (const [rule, found] of careless) {
    const lines = await faults(t, (origin) => (rule(origin) ? full(origin) : {}))
    assert.ok(
      lines.some((line) => found.test(line)),
      `${found}: ${JSON.stringify(lines)}`,
    )
    assert.ok(lines.every((line) => line.includes('lets that site read replies with cookies')))
  }
})

test('attack: pages of the allowed origin that cannot use the route are found', async (t) => {
  const missing: readonly [sharing: Sharing, more: { cookie?: string; method?: string }, fault: RegExp][] = [
    [
      (_, isPreflight) => (isPreflight ? 401 : full(APP)),
      {},
      /a preflight .*: was refused; a browser sends .* \(401\)$/,
    ],
    [() => ({}), {}, /a request .*: does not name that origin/],
    [() => ({ ...full(APP), 'Access-Control-Allow-Headers': '*' }), {}, /does not allow the field Authorization/],
    [() => full(APP), { method: 'PATCH' }, /a preflight .*: does not allow PATCH/],
    [() => ({ ...full(APP), Vary: 'Accept' }), {}, /has no "Vary: Origin"/],
    [() => ({ ...full(APP), 'Access-Control-Allow-Origin': '*' }), { cookie: 'access' }, /does not allow credentials/],
    [
      () => ({ ...full(APP), 'Access-Control-Allow-Methods': '*' }),
      { cookie: 'access', method: 'PUT' },
      /a preflight .*: does not allow PUT/,
    ],
  ]
  for (const [sharing, more, fault] of missing) {
    const lines = await faults(t, (origin, isPreflight) => (origin === APP ? sharing(origin, isPreflight) : {}), more)
    assert.ok(
      lines.some((line) => fault.test(line)),
      `${fault}: ${JSON.stringify(lines)}`,
    )
  }
})
