import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { exportJwk, generateKey, importKey, type SigningKey, sign } from '@sealwax/jwt'
import { assertProblem, MINUTE, PASSWORD, type Started, startAuth } from '../server.ts'

const EMAIL = 'ann@example.com'
const JSON_TYPE = { 'Content-Type': 'application/json' }
/** Used wherever a user may enter a secret by mistake; no error response may contain it. */
const MARK = 'hunter2-hunter2-hunter2'

let server: Started
let tokens: { access_token: string; refresh_token: string }

before(async () => {
  server = await startAuth()
  await server.auth.users.create({ email: EMAIL, password: PASSWORD })
  tokens = (await server.call('/login', { json: { email: EMAIL, password: PASSWORD } })).body
})
after(() => server[Symbol.asyncDispose]())

describe('access tokens', () => {
  const claims = { sub: 'ann', jti: 'j', client_id: 'sealwax', sid: 's' }
  const options = { issuer: 'http://127.0.0.1:5000', audience: 'api', typ: 'at+jwt', expiresIn: '15m' } as const
  let foreign: SigningKey

  before(async () => {
    foreign = await generateKey('ES256')
  })

  function tampered(): string {
    const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
    const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), roles: ['sealwax:admin'] }
    return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
  }

  function unsigned(): string {
    const payload = tokens.access_token.split('.')[1] ?? ''
    return `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`
  }

  async function withPublicKeyAsSecret(): Promise<string> {
    const [jwk = {}] = (await server.call('/.well-known/jwks.json')).body.keys
    const secret = importKey(Buffer.from(JSON.stringify(jwk)), { alg: 'HS256', kid: jwk.kid ?? '' })
    return sign(claims, secret as SigningKey, { ...options, currentDate: new Date(server.clock.time) })
  }

  /** A token signed with another key under a key ID of this server. */
  function underOurKid(kid: string): string {
    const impostor = importKey({ ...exportJwk(foreign, { private: true }), kid }) as SigningKey
    return sign(claims, impostor, { ...options, currentDate: new Date(server.clock.time) })
  }

  it('each kind of invalid token gets the right code and the challenge of RFC 6750 §3', async () => {
    const kid = (await server.call('/.well-known/jwks.json')).body.keys[0]?.kid ?? ''
    const cases: [name: string, authorization: string, status: number, code: string][] = [
      ['garbage', 'Bearer garbage', 401, 'token_malformed'],
      ['three segments of garbage', 'Bearer a.b.c', 401, 'token_malformed'],
      ['tampered', `Bearer ${tampered()}`, 401, 'token_signature_invalid'],
      ['truncated', `Bearer ${tokens.access_token.slice(0, -1)}`, 401, 'token_malformed'],
      ['alg none', `Bearer ${unsigned()}`, 401, 'token_algorithm_not_allowed'],
      ['HMAC with the public key', `Bearer ${await withPublicKeyAsSecret()}`, 401, 'token_algorithm_not_allowed'],
      [
        'unknown key',
        `Bearer ${sign(claims, foreign, { ...options, currentDate: new Date(server.clock.time) })}`,
        401,
        'token_key_unknown',
      ],
      ['our kid with another key', `Bearer ${underOurKid(kid)}`, 401, 'token_signature_invalid'],
      ['refresh token', `Bearer ${tokens.refresh_token}`, 401, 'token_malformed'],
      ['10 KB', `Bearer ${'A'.repeat(10_000)}`, 401, 'token_malformed'],
      ['Bearer without a token', 'Bearer', 400, 'invalid_request'],
      ['two tokens', `Bearer ${tokens.access_token}, Bearer ${tokens.access_token}`, 400, 'invalid_request'],
      ['two spaces', `Bearer  ${tokens.access_token}`, 400, 'invalid_request'],
      ['Basic', `Basic ${Buffer.from(`ann:${MARK}`).toString('base64')}`, 401, 'token_missing'],
      ['no scheme', tokens.access_token, 401, 'token_missing'],
    ]
    for (const [name, Authorization, status, code] of cases) {
      const reply = await server.call('/me', { headers: { Authorization } })
      assertProblem(reply, [status, code], name)
      const challenge = reply.headers.get('WWW-Authenticate') ?? ''
      if (code === 'token_missing') assert.equal(challenge, 'Bearer realm="api"')
      else
        assert.match(
          challenge,
          status === 400 ? /^Bearer .*error="invalid_request"/ : /^Bearer .*error="invalid_token"/,
        )
      assert.ok(!reply.text.includes(Authorization.slice(7)) || Authorization.length < 8, name)
    }
  })

  it('a token in the URL or a cookie counts as missing; one in the URL and the header is an invalid request', async () => {
    const elsewhere: [string, Record<string, string>][] = [
      ['/me', {}],
      [`/me?access_token=${tokens.access_token}`, {}],
      ['/me', { Cookie: `access_token=${tokens.access_token}` }],
    ]
    for (const [path, headers] of elsewhere) {
      assertProblem(await server.call(path, { headers }), [401, 'token_missing'])
    }
    const both = await server.call(`/me?access_token=${tokens.access_token}`, { token: tokens.access_token })
    assertProblem(both, [400, 'invalid_request'])
  })

  it('an expired token has its own code', async () => {
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    server.clock.advance(16 * MINUTE)
    const reply = await server.call('/me', { token: access_token })
    server.clock.advance(-16 * MINUTE)
    assertProblem(reply, [401, 'token_expired'])
    assert.equal(reply.body.error, 'Token has expired')
    assert.equal((await server.call('/me', { token: access_token })).status, 200)
  })

  it('an access token is refused as a refresh token', async () => {
    const reply = await server.call('/refresh', { json: { refresh_token: tokens.access_token } })
    assertProblem(reply, [400, 'invalid_grant'])
    assert.equal(reply.body.reason, 'malformed')
  })
})

describe('bodies', () => {
  const good = JSON.stringify({ email: EMAIL, password: PASSWORD })
  const deep = '['.repeat(8000) + ']'.repeat(8000)
  const bad: Record<string, [body: BodyInit, status: number, code: string]> = {
    'not JSON': [`{"email":"${MARK}`, 400, 'malformed_json'],
    'single quotes': [`{'password':'${MARK}'}`, 400, 'malformed_json'],
    'a trailing comma': [`{"password":"${MARK}",}`, 400, 'malformed_json'],
    'two documents': [`${good}${good}`, 400, 'malformed_json'],
    'only white space': [' \n', 400, 'malformed_json'],
    'invalid UTF-8': [
      Buffer.concat([Buffer.from(`{"email":"${EMAIL}","password":"`), Buffer.of(0xff, 0xc0), Buffer.from('"}')]),
      400,
      'malformed_json',
    ],
    'UTF-16': [Buffer.from(good, 'utf16le'), 400, 'malformed_json'],
    'deep nesting': [deep, 422, 'validation_failed'],
    'deep nesting in a member': [
      `{"email":"${EMAIL}","password":${deep.slice(4000, -4000)}}`,
      422,
      'validation_failed',
    ],
    empty: ['', 422, 'validation_failed'],
    'an empty object': ['{}', 422, 'validation_failed'],
    'an array': [`[${good}]`, 422, 'validation_failed'],
    null: ['null', 422, 'validation_failed'],
    'a number': ['7', 422, 'validation_failed'],
    'a string': [JSON.stringify(MARK), 422, 'validation_failed'],
    'a number for a password': [`{"email":"${EMAIL}","password":7}`, 422, 'validation_failed'],
    'a list for a password': [`{"email":"${EMAIL}","password":["${MARK}"]}`, 422, 'validation_failed'],
    'an object for an email': [`{"email":{"$ne":null},"password":"${MARK}"}`, 422, 'validation_failed'],
    'null for a password': [`{"email":"${EMAIL}","password":null}`, 422, 'validation_failed'],
    'an unknown member': [`{"email":"${EMAIL}","password":"${MARK}","remember_me":true}`, 422, 'validation_failed'],
    __proto__: [`{"email":"${EMAIL}","password":"${MARK}","__proto__":{"a":1}}`, 422, 'validation_failed'],
    'constructor.prototype': [
      `{"email":"${EMAIL}","password":"${MARK}","constructor":{"prototype":{"a":1}}}`,
      422,
      'validation_failed',
    ],
    'a password of 1025 characters': [
      JSON.stringify({ email: EMAIL, password: MARK.repeat(45) }),
      422,
      'validation_failed',
    ],
    'more than 16 KiB': [JSON.stringify({ email: EMAIL, password: MARK.repeat(800) }), 413, 'payload_too_large'],
  }
  for (const path of ['/login', '/register']) {
    it(`${path} refuses each kind of invalid body with the right status and code`, async () => {
      for (const [name, [body, status, code]] of Object.entries(bad)) {
        assertProblem(await server.call(path, { method: 'POST', body, headers: JSON_TYPE }), [status, code], name)
      }
      assert.equal(({} as Record<string, unknown>).a, undefined)
    })
  }

  it('/refresh and /logout refuse invalid bodies too, and the session stays valid', async () => {
    const { refresh_token } = tokens
    const shared: [body: string, status: number, code: string][] = [
      ['{', 400, 'malformed_json'],
      ['null', 422, 'validation_failed'],
      [JSON.stringify([refresh_token]), 422, 'validation_failed'],
      [JSON.stringify({ refresh_token: [refresh_token] }), 422, 'validation_failed'],
      [JSON.stringify({ refresh_token: null }), 422, 'validation_failed'],
      [JSON.stringify({ refresh_token, force: true }), 422, 'validation_failed'],
      [JSON.stringify({ refresh_token: 'x'.repeat(5000) }), 422, 'validation_failed'],
    ]
    for (const [body, status, code] of [...shared, ['{}', 422, 'validation_failed'] as const]) {
      assertProblem(await server.call('/refresh', { body, headers: JSON_TYPE }), [status, code], body.slice(0, 40))
    }
    for (const [body, status, code] of [...shared, ['{"scope":"everything"}', 422, 'validation_failed'] as const]) {
      assertProblem(await server.call('/logout', { body, headers: JSON_TYPE, token: tokens.access_token }), [
        status,
        code,
      ])
    }
    assert.equal((await server.call('/me', { token: tokens.access_token })).status, 200)
  })

  it('validation errors have JSON pointers to the members, without values', async () => {
    const body = `{"email":7,"password":"${MARK}","a/b~c":"${MARK}"}`
    const reply = await server.call('/login', { body, headers: JSON_TYPE })
    assertProblem(reply, [422, 'validation_failed'])
    assert.deepEqual(
      reply.body.errors.map(({ path }) => path),
      ['/email', '/a~1b~0c'],
    )
  })

  it('the last of duplicate members is used, as in JSON.parse', async () => {
    const twice = (first: string, second: string) =>
      server.call('/login', {
        body: `{"email":"${EMAIL}","password":"${first}","password":"${second}"}`,
        headers: JSON_TYPE,
      })
    assert.equal((await twice(MARK, PASSWORD)).status, 200)
    assertProblem(await twice(PASSWORD, MARK), [401, 'invalid_credentials'])
  })

  it('an unknown path is 404 and a wrong method is 405, regardless of the body', async () => {
    const text = { body: 'x', headers: { 'Content-Type': 'text/plain' } }
    assertProblem(await server.call('/nothing', text), [404, 'not_found'])
    assertProblem(await server.call('/me', { ...text, method: 'PUT' }), [405, 'method_not_allowed'])
  })

  it('every content type except application/json is refused, even with a valid body', async () => {
    const types = [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/json-patch+json',
      'application/jsonx',
      'application/problem+json',
      'text/json',
      'json',
      '*/*',
    ]
    for (const type of types) {
      assertProblem(
        await server.call('/login', { body: good, headers: { 'Content-Type': type } }),
        [415, 'unsupported_media_type'],
        type,
      )
    }
    const plain = ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;charset=UTF-8']
    const odd = ['application/json ; charset=utf-8', 'application/json;', 'application/json;charset="utf-8";']
    for (const type of [...plain, ...odd, 'application/json; charset']) {
      assert.equal((await server.call('/login', { body: good, headers: { 'Content-Type': type } })).status, 200, type)
    }
  })
})
