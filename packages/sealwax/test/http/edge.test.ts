import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressReader } from '../../src/http/request-origin.ts'
import type { AuthOptions } from '../../src/index.ts'
import { type Reply, startAuth } from '../server.ts'

const APP = 'https://app.example.com'

function cors({ headers }: Reply) {
  return {
    origin: headers.get('Access-Control-Allow-Origin'),
    credentials: headers.get('Access-Control-Allow-Credentials'),
    vary: /\bOrigin\b/i.test(headers.get('Vary') ?? ''),
  }
}

describe('CORS', () => {
  it('allows only the listed origins', async () => {
    await using server = await startAuth({ allowedOrigins: [APP, 'http://localhost:5173'] })
    const from = (Origin: string) => server.call('/me', { headers: { Origin } })
    for (const origin of [APP, 'http://localhost:5173']) {
      const reply = await from(origin)
      assert.deepEqual([reply.status, cors(reply)], [401, { origin, credentials: 'true', vary: true }])
      assert.match(reply.headers.get('Access-Control-Expose-Headers') ?? '', /WWW-Authenticate/i)
    }
    const others = [
      'null',
      `${APP}.evil.example`,
      'https://evil-app.example.com',
      'https://app.example.com:444',
      'http://app.example.com',
      'https://APP.example.com',
      `${APP}/`,
      '*',
    ]
    for (const origin of others) {
      const { origin: allowed } = cors(await from(origin))
      assert.equal(allowed, null, origin)
    }
  })

  it('the log mentions the setting only for refused origins that could be listed', async () => {
    await using server = await startAuth({ allowedOrigins: [APP], issuer: 'https://auth.example.com' })
    const told = async (Origin: string, more: Record<string, string> = {}) => {
      const before = server.lines.length
      await server.call('/login', { json: {}, headers: { Origin, ...more } })
      return server.lines.slice(before).flatMap(({ fields, message }) => ('origin' in fields ? [message] : []))
    }
    for (const origin of ['https://other.example', 'tauri://localhost']) {
      const [message = '', ...rest] = await told(origin)
      assert.deepEqual([message.includes('SEALWAX_ALLOWED_ORIGINS'), rest], [true, []], origin)
    }
    for (const origin of ['null', 'https://other.example/', 'file://', '*']) {
      const [message = '', ...rest] = await told(origin)
      assert.deepEqual([message.includes('SEALWAX_ALLOWED_ORIGINS'), rest], [false, []], origin)
      assert.match(message, /cannot be allowed/)
    }
    // Browsers also send Origin with each POST from a page of the server itself.
    assert.deepEqual(await told('https://auth.example.com'), [])
    assert.deepEqual(await told(server.url), [])
    assert.deepEqual(await told('https://www.example.com', { 'Sec-Fetch-Site': 'same-origin' }), [])
    assert.deepEqual(await told(APP), [])
  })

  it('apps and browser extensions can be listed by origin', async () => {
    const origins = ['capacitor://localhost', 'chrome-extension://mdplmiioglkpgkgblfdilgebpppgdlmk']
    await using server = await startAuth({ allowedOrigins: origins })
    for (const origin of origins) {
      assert.equal(cors(await server.call('/me', { headers: { Origin: origin } })).origin, origin)
    }
    assert.equal(cors(await server.call('/me', { headers: { Origin: 'capacitor://localhost2' } })).origin, null)
  })

  it('a preflight allows the headers that tracing and HTTP libraries add', async () => {
    await using server = await startAuth({ allowedOrigins: [APP] })
    const names = ['x-request-id', 'traceparent', 'tracestate', 'baggage', 'sentry-trace', 'x-requested-with']
    const headers = {
      ...{ Origin: APP, 'Access-Control-Request-Method': 'POST' },
      'Access-Control-Request-Headers': names.join(','),
    }
    for (const path of ['/login', '/oauth/token', '/sessions']) {
      const reply = await server.call(path, { method: 'OPTIONS', headers })
      const allowed = (reply.headers.get('Access-Control-Allow-Headers') ?? '').toLowerCase().split(',')
      assert.deepEqual([path, names.filter((name) => !allowed.includes(name))], [path, []])
    }
  })

  it('allows only preflights of listed origins', async () => {
    await using server = await startAuth({ allowedOrigins: [APP] })
    const preflight = (Origin: string) =>
      server.call('/login', {
        method: 'OPTIONS',
        headers: {
          Origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type,authorization',
        },
      })
    const { status, headers } = await preflight(APP)
    assert.equal(status, 204)
    assert.deepEqual(
      [headers.get('Access-Control-Allow-Origin'), headers.get('Access-Control-Allow-Credentials')],
      [APP, 'true'],
    )
    assert.match(headers.get('Access-Control-Allow-Methods') ?? '', /POST/)
    assert.match(
      headers.get('Access-Control-Allow-Headers') ?? '',
      /Authorization.*Content-Type|Content-Type.*Authorization/i,
    )
    assert.equal(cors(await preflight('https://evil.example')).origin, null)
  })

  it('allows no origin without a list', async () => {
    await using server = await startAuth()
    for (const Origin of [APP, 'null', server.url])
      assert.equal(cors(await server.call('/me', { headers: { Origin } })).origin, null)
  })

  it('/.well-known allows all origins, without credentials', async () => {
    await using server = await startAuth({ allowedOrigins: [APP] })
    for (const path of [
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      '/.well-known/revocations',
    ]) {
      for (const Origin of [APP, 'https://anybody.example', 'null']) {
        const reply = await server.call(path, { headers: { Origin } })
        assert.equal(reply.status, 200)
        assert.deepEqual([path, cors(reply).origin, cors(reply).credentials], [path, '*', null])
      }
      const preflight = await server.call(path, {
        method: 'OPTIONS',
        headers: { Origin: 'null', 'Access-Control-Request-Method': 'GET' },
      })
      assert.deepEqual([preflight.status, cors(preflight).origin, cors(preflight).credentials], [204, '*', null])
    }
  })
})

describe('the client IP', () => {
  async function seen(
    trustProxy: AuthOptions['trustProxy'],
    forwarded?: string,
    forwardedHeader: AuthOptions['forwardedHeader'] = 'x-forwarded-for',
  ): Promise<string | undefined> {
    await using server = await startAuth({ ...(trustProxy !== undefined && { trustProxy }), forwardedHeader })
    const headers = forwarded === undefined ? {} : { [forwardedHeader]: forwarded }
    await server.call('/login', { json: { email: 'x@example.com', password: 'wrong' }, headers })
    return server.events.at(-1)?.ip
  }

  const cases: [name: string, trustProxy: AuthOptions['trustProxy'], forwarded: string | undefined, ip: string][] = [
    ['no proxy is trusted by default', undefined, '203.0.113.9', '127.0.0.1'],
    ['0 hops: the header is ignored', 0, '203.0.113.9', '127.0.0.1'],
    ['no header', 1, undefined, '127.0.0.1'],
    ['1 hop: the last entry', 1, '203.0.113.9', '203.0.113.9'],
    ['1 hop: entries added by the client are ignored', 1, '10.9.9.9, 203.0.113.9', '203.0.113.9'],
    ['2 hops', 2, '10.9.9.9, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['more hops than entries: the first entry', 3, '203.0.113.9', '203.0.113.9'],
    ['an entry that is not an address: the entries before it are ignored', 2, '203.0.113.9, unknown', '127.0.0.1'],
    ['an IPv4-mapped IPv6 address', 1, '::FFFF:203.0.113.9', '203.0.113.9'],
    ['IPv6', 1, '2001:DB8::7', '2001:db8::7'],
    ['a port', 1, '203.0.113.9:51008', '203.0.113.9'],
    ['IPv6 in brackets, with a port', 1, '[2001:db8::7]:51008', '2001:db8::7'],
    ['IPv6 in brackets', 1, '[2001:db8::7]', '2001:db8::7'],
    ['an IPv4-mapped IPv6 address with a port', 1, '[::ffff:203.0.113.9]:443', '203.0.113.9'],
    ['an unclosed bracket', 1, '[2001:db8::7', '127.0.0.1'],
    ['trusted entries with ports', ['127.0.0.1', '10.0.0.0/8'], '203.0.113.9:1, 10.0.0.2:8080', '203.0.113.9'],
    ['a trusted range', ['127.0.0.0/8'], '203.0.113.9', '203.0.113.9'],
    [
      'entries in trusted ranges are skipped',
      ['127.0.0.1', '10.0.0.0/8'],
      '198.51.100.7, 203.0.113.9, 10.0.0.2',
      '203.0.113.9',
    ],
    ['the header of a peer outside the range is ignored', ['10.0.0.0/8'], '203.0.113.9', '127.0.0.1'],
    ['an IPv6 range', ['::1', 'fd00::/8', '127.0.0.1'], '203.0.113.9, fd00::1', '203.0.113.9'],
  ]
  for (const [name, trustProxy, forwarded, ip] of cases) {
    it(name, async () => assert.equal(await seen(trustProxy, forwarded), ip))
  }

  const forwarded: [name: string, header: string, ip: string, trustProxy?: AuthOptions['trustProxy']][] = [
    ['an address', 'for=203.0.113.9', '203.0.113.9'],
    ['the last element', 'for=10.9.9.9, for=203.0.113.9', '203.0.113.9'],
    ['other parameters and uppercase names', 'proto=https;FOR="203.0.113.9:4711";by=10.0.0.1', '203.0.113.9'],
    ['IPv6 in quotes', 'for="[2001:DB8::7]:4711"', '2001:db8::7'],
    ['IPv6 without quotes', 'for=[2001:db8::7]:4711', '2001:db8::7'],
    ['escapes', 'for="203.0.113\\.9"', '203.0.113.9'],
    ['an obfuscated identifier', 'for=_gazonk', '127.0.0.1'],
    ['unknown', 'for=unknown', '127.0.0.1'],
    ['an element without for', 'for=203.0.113.9, proto=https', '127.0.0.1'],
    ['a comma in quotes', 'host="a,for=10.9.9.9";for=203.0.113.9', '203.0.113.9'],
    [
      'a list of proxies',
      'for=198.51.100.7, for=203.0.113.9, for=10.0.0.2',
      '203.0.113.9',
      ['127.0.0.1', '10.0.0.0/8'],
    ],
  ]
  for (const [name, header, ip, trustProxy = 1] of forwarded) {
    it(`Forwarded: ${name}`, async () => assert.equal(await seen(trustProxy, header, 'forwarded'), ip))
  }

  it('attack: a Forwarded header full of spaces is parsed quickly', () => {
    const addressOf = addressReader({ trustProxy: 1, forwardedHeader: 'forwarded' })
    const header = `a=b;${' '.repeat(15_500)}@, for=203.0.113.9`
    const began = performance.now()
    for (let i = 0; i < 20; i += 1) assert.equal(addressOf('127.0.0.1', header), '127.0.0.1')
    // A regular expression that can match the spaces in two ways took eight seconds.
    assert.ok(performance.now() - began < 1000)
  })

  it('attack: a malformed Forwarded header of a client cannot hide what the proxy appended', async () => {
    for (const header of [
      'for=10.9.9.9;x=", for=203.0.113.9',
      'for="10.9.9.9, for="[2001:db8::7]:4711"',
      'for=10.9.9.9;;=, for=203.0.113.9',
    ]) {
      assert.equal(await seen(1, header, 'forwarded'), '127.0.0.1', header)
    }
  })

  it('attack: only the configured header of the two is used', async () => {
    for (const [forwardedHeader, other] of [
      ['forwarded', 'X-Forwarded-For'],
      ['x-forwarded-for', 'Forwarded'],
    ] as const) {
      await using server = await startAuth({ trustProxy: 1, forwardedHeader })
      const own = forwardedHeader === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9'
      const forged = forwardedHeader === 'forwarded' ? '10.9.9.9' : 'for=10.9.9.9'
      for (const [headers, ip] of [
        [{ [forwardedHeader]: own, [other]: forged }, '203.0.113.9'],
        [{ [other]: forged }, '127.0.0.1'],
      ] as const) {
        await server.call('/login', { json: { email: 'x@example.com', password: 'wrong' }, headers })
        assert.equal(server.events.at(-1)?.ip, ip)
      }
    }
  })

  it('attack: behind a proxy that is not configured, so that all clients share an IP, one warning is logged', async () => {
    const warnings = async (
      trustProxy: AuthOptions['trustProxy'],
      headers: Record<string, string>[],
      direct = false,
    ) => {
      await using server = await startAuth(trustProxy === undefined ? {} : { trustProxy })
      for (const sent of headers) {
        if (direct) await server.auth.fetch(new Request('http://x/healthz', { headers: sent }))
        else await server.call('/healthz', { headers: sent })
      }
      return server.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    }
    const [xff, rfc] = [{ 'X-Forwarded-For': '203.0.113.9' }, { Forwarded: 'for=203.0.113.9' }]
    for (const direct of [false, true]) {
      const told = await warnings(undefined, [{}, xff, xff, rfc], direct)
      assert.equal(told.length, 1)
      assert.match(told[0] ?? '', /trustProxy \(SEALWAX_TRUST_PROXY\) is 0/)
      assert.equal((await warnings(0, [rfc, xff], direct)).length, 1)
      assert.deepEqual(await warnings(0, [{}, { Via: '1.1 x' }], direct), [])
      assert.deepEqual(await warnings(1, [xff, { ...xff, ...rfc }], direct), [])
      const other = await warnings(1, [xff, rfc, rfc], direct)
      assert.equal(other.length, 1)
      assert.match(other[0] ?? '', /SEALWAX_FORWARDED_HEADER/)
      const stranger = await warnings(['10.0.0.0/8'], [xff, rfc, xff], direct)
      assert.equal(stranger.length, 1)
      assert.match(stranger[0] ?? '', /SEALWAX_TRUST_PROXY\) does not name/)
    }
  })

  it('X-Forwarded-Host, X-Forwarded-Proto and Forwarded do not change URLs in responses', async () => {
    await using server = await startAuth({ trustProxy: 1 })
    const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.example' }
    const { text } = await server.call('/.well-known/oauth-authorization-server', { headers })
    assert.ok(!text.includes('evil'))
    assert.equal(JSON.parse(text).jwks_uri, 'http://127.0.0.1:5000/.well-known/jwks.json')
  })
})

describe('public keys and health', () => {
  it('the JWK Set contains the signing key and its standby, with only public members', async () => {
    await using server = await startAuth()
    const { headers, body } = await server.call('/.well-known/jwks.json')
    assert.match(headers.get('Cache-Control') ?? '', /^public, max-age=\d+/)
    const members = ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']
    assert.deepEqual(
      body.keys.map((key) => Object.keys(key).sort()),
      [members, members],
    )
  })

  it('a server that signs with HS256 publishes no key', async () => {
    await using server = await startAuth({ alg: 'HS256' })
    assert.deepEqual((await server.call('/.well-known/jwks.json')).body.keys, [])
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal((await server.call('/me', { token: access_token })).status, 200)
  })

  it('with a closed store, healthz is still 200, but readyz and requests that use the store are 503', async () => {
    await using server = await startAuth()
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    for (const path of ['/healthz', '/readyz']) assert.equal((await server.call(path)).status, 200)
    await server.auth.close()
    assert.equal((await server.call('/healthz')).status, 200)
    for (const reply of [
      await server.call('/readyz'),
      await server.call('/refresh', { json: { refresh_token } }),
      await server.call('/login', { json: { email: 'x@example.com', password: 'wrong' } }),
    ]) {
      assert.deepEqual([reply.status, reply.body.code], [503, 'temporarily_unavailable'])
      assert.ok(Number(reply.headers.get('Retry-After')) > 0)
    }
    await server.restart()
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
  })
})
