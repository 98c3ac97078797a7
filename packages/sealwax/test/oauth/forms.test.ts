import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import { toNodeHandler } from '../../src/http/node.ts'
import { call, judgedCall, listen } from '../server.ts'
import { assertOAuthError, basic, type Credentials, type OAuthServer, startOAuth } from './oauth.ts'

const PATHS = ['/oauth/token', '/oauth/revoke', '/oauth/introspect']
const APP = 'https://app.example.com'

let server: OAuthServer
let machine: Credentials

before(async () => {
  server = await startOAuth({ allowedOrigins: [APP] })
  machine = await server.machine('introspect')
})
after(() => server[Symbol.asyncDispose]())

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const good = 'grant_type=client_credentials&token=x'

describe('forms under /oauth/', () => {
  it('every invalid body is refused with an RFC 6749 error, at every endpoint', async () => {
    const bad: Record<
      string,
      [body: string | Uint8Array, headers: Record<string, string>, error: string, status: number]
    > = {
      JSON: ['{"grant_type":"client_credentials"}', { 'Content-Type': 'application/json' }, 'invalid_request', 400],
      'a multipart form': ['--x--', { 'Content-Type': 'multipart/form-data; boundary=x' }, 'invalid_request', 400],
      text: [good, { 'Content-Type': 'text/plain' }, 'invalid_request', 400],
      'a longer media type': [good, { 'Content-Type': `${form['Content-Type']}ish` }, 'invalid_request', 400],
      empty: ['', form, 'invalid_request', 400],
      'nothing but separators': ['&&&=&', form, 'invalid_request', 400],
      'a parameter twice': [`${good}&grant_type=client_credentials&token=x`, form, 'invalid_request', 400],
      'an unknown parameter twice': [`${good}&a=1&a=2`, form, 'invalid_request', 400],
      'a parameter without value': ['grant_type=&token=', form, 'invalid_request', 400],
      'a lone percent': [`${good}&a=%`, form, 'invalid_request', 400],
      'a percent in a name': [`${good}&%zz=1`, form, 'invalid_request', 400],
      'escaped octets that are not UTF-8': [`${good}&a=%ff%fe`, form, 'invalid_request', 400],
      'unescaped octets that are not UTF-8': [Buffer.from(`${good}&a=\u00ff`, 'latin1'), form, 'invalid_request', 400],
      'an overlong escape': [`${good}&a=%c0%af`, form, 'invalid_request', 400],
      '65 parameters': [`${good}${'&'.repeat(63)}a=1`, form, 'invalid_request', 400],
      'thousands of parameters': [
        `${good}&${Array.from({ length: 2500 }, (_, i) => i.toString(36)).join('=1&')}=1`,
        form,
        'invalid_request',
        400,
      ],
      'more than 16 KiB': [`${good}&a=${'x'.repeat(17_000)}`, form, 'payload_too_large', 413],
    }
    for (const path of PATHS) {
      for (const [name, [body, headers, error, status]] of Object.entries(bad)) {
        const sent = { body: body as BodyInit, method: 'POST', headers: { ...basic(machine), ...headers } }
        assertOAuthError(await server.call(path, sent), [status, error], `${path}: ${name}`)
      }
    }
  })

  it('the content type may be written in any valid form, and unknown parameters are ignored', async () => {
    for (const type of [
      'application/x-www-form-urlencoded;charset=UTF-8',
      'APPLICATION/X-WWW-FORM-URLENCODED',
      'application/x-www-form-urlencoded ; charset=utf-8',
      'application/x-www-form-urlencoded;',
      'application/x-www-form-urlencoded;charset="utf-8";',
      'application/x-www-form-urlencoded; charset',
    ]) {
      const more =
        '&resource=https%3A%2F%2Fx&__proto__=1&constructor=2&a%5B%5D=3&grant%5Ftype2=4&%C3%A9=%E2%82%AC&\u20ac=\u20ac'
      const body = good + more
      const sent = { body, headers: { ...basic(machine), 'Content-Type': type } }
      assert.equal((await server.call('/oauth/token', sent)).status, 200, type)
      assert.deepEqual((await server.call('/oauth/introspect', sent)).body, { active: false }, type)
    }
    assert.equal(({} as Record<string, unknown>)['1'], undefined)
  })

  it('64 parameters are accepted; with more, none is read, so names are not compared with thousands of others', async () => {
    const most = `${good}&${Array.from({ length: 62 }, (_, i) => `a${i}=1`).join('&')}`
    const ask = (body: string) => server.post('/oauth/introspect', body, machine)
    assert.equal((await ask(most)).status, 200)
    // The repeated name and the bad escape would be refused first if they were read.
    const { body } = await ask(`grant_type=a&grant_type=b&%zz=1&${most}`)
    assert.deepEqual(body.error_description, 'Send at most 64 parameters')
  })

  it('without a body and a content type, the missing parameter or authentication is reported', async () => {
    for (const path of PATHS) {
      const reply = await server.call(path, { method: 'POST', headers: basic(machine) })
      assertOAuthError(reply, [400, 'invalid_request'], path)
      const stranger = await server.call(path, { method: 'POST' })
      assertOAuthError(
        stranger,
        path === '/oauth/introspect' ? [401, 'invalid_client'] : [400, 'invalid_request'],
        path,
      )
    }
  })

  it('unknown grants and credentials sent twice are refused', async () => {
    for (const grant_type of [
      'password',
      'authorization_code',
      'Client_Credentials',
      'client_credentials ',
      '__proto__',
      'urn:x',
    ]) {
      assertOAuthError(
        await server.post('/oauth/token', { grant_type }, machine),
        [400, 'unsupported_grant_type'],
        grant_type,
      )
    }
    const inBody = { client_id: machine.id, client_secret: machine.secret }
    const twice: [string, Record<string, string>][] = [
      ['header and body', inBody],
      ['another name', { client_id: `cli_${'A'.repeat(22)}` }],
      ['a secret', { client_secret: machine.secret }],
    ]
    for (const path of PATHS) {
      for (const [name, more] of twice) {
        const sent = { grant_type: 'client_credentials', token: 'x', ...more }
        assertOAuthError(await server.post(path, sent, machine), [400, 'invalid_request'], `${path}: ${name}`)
      }
      const nameless = { grant_type: 'client_credentials', token: 'x', client_secret: machine.secret }
      assertOAuthError(await server.post(path, nameless), [400, 'invalid_request'], path)
    }
  })

  it('parameters in the URL are ignored and not logged', async () => {
    const query = `?${good}&client_id=${machine.id}&client_secret=${machine.secret}`
    for (const path of PATHS) {
      assertOAuthError(await server.post(path + query, 'a=1', machine), [400, 'invalid_request'], path)
    }
    assert.ok(!JSON.stringify(server.lines).includes(machine.secret))
  })
})

describe('errors under /oauth/ have one form', () => {
  it('wrong methods get 405, unknown paths 404', async () => {
    for (const path of PATHS) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
        assertOAuthError(await server.call(path, { method }), [405, 'method_not_allowed'], `${method} ${path}`)
      }
    }
    const json = { headers: { 'Content-Type': 'application/json' }, body: '{}' }
    assertOAuthError(await server.call('/oauth/token', { ...json, method: 'PUT' }), [405, 'method_not_allowed'])
    assertOAuthError(await server.call('/oauth/nothing', { ...json, method: 'POST' }), [404, 'not_found'])
    for (const path of ['/oauth/', '/oauth/authorize', '/oauth/token/', '/oauth/tokens', '/oauth/__proto__']) {
      assertOAuthError(await server.call(path), [404, 'not_found'], path)
    }
    assert.match((await server.call('/oauthx')).headers.get('Content-Type') ?? '', /problem\+json/)
  })

  it('an unavailable store gives 503 with Retry-After, never a refusal', async () => {
    await using away = await startOAuth()
    const client = await away.machine('introspect')
    const { refresh_token, access_token } = await away.auth.sessions.create({ subject: 'ann' })
    await away.auth.close()
    const asked: [path: string, form: Record<string, string>, as?: Credentials][] = [
      ['/oauth/token', { grant_type: 'client_credentials' }, client],
      ['/oauth/token', { grant_type: 'client_credentials' }, { ...client, secret: 'wrong' }],
      ['/oauth/token', { grant_type: 'refresh_token', refresh_token }],
      ['/oauth/revoke', { token: refresh_token }],
      ['/oauth/revoke', { token: access_token }],
      ['/oauth/introspect', { token: refresh_token }, client],
    ]
    for (const [path, parameters, as] of asked) {
      assertOAuthError(await away.post(path, parameters, as), [503, 'temporarily_unavailable'], path)
    }
  })

  it('an unexpected error gives 500 without details, and is logged', async () => {
    let roles: unknown = []
    await using broken = await startOAuth({ loadSubject: () => ({ roles: roles as string[] }) })
    const { refresh_token } = await broken.auth.sessions.create({ subject: 'ann' })
    roles = 5
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token })
    const reply = await broken.call('/oauth/token', { body, fault: true })
    assertOAuthError(reply, [500, 'internal_error'])
    assert.ok(
      broken.lines.some(({ level, fields }) => level === 'error' && 'err' in fields),
      'the error is logged',
    )
  })
})

describe('from browsers and through body parsers', () => {
  it('a page of an allowed origin can use the endpoints, others cannot', async () => {
    const preflight = (Origin: string) =>
      server.call('/oauth/token', {
        method: 'OPTIONS',
        headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' },
      })
    assert.equal((await preflight(APP)).headers.get('Access-Control-Allow-Origin'), APP)
    assert.equal((await preflight('https://evil.example')).headers.get('Access-Control-Allow-Origin'), null)
    const reply = await server.post('/oauth/revoke', { token: 'x' }, undefined, { Origin: APP })
    assert.deepEqual([reply.status, reply.headers.get('Access-Control-Allow-Origin')], [200, APP])
  })

  it('nested names in a parsed body are refused and not converted to strings', async () => {
    await using own = await startOAuth()
    const app = express()
      .use(express.urlencoded({ extended: true }))
      .use(toNodeHandler(own.auth))
    await using listening = await listen(app)
    const client = await own.machine('introspect')
    for (const nested of [
      'scope[a]=introspect',
      'scope[][a]=introspect',
      'unknown[a]=b',
      'scope[]=introspect&scope[][a]=b',
    ]) {
      const body = `grant_type=client_credentials&${nested}`
      const reply = await judgedCall(listening.url, '/oauth/token', { body, headers: { ...form, ...basic(client) } })
      const { error, error_description } = reply.body as unknown as Record<string, string>
      assert.deepEqual(
        [reply.status, error, error_description],
        [400, 'invalid_request', 'The form is malformed or not UTF-8'],
        nested,
      )
    }
  })

  it('a form that the app has already parsed is read completely', async () => {
    const parsers = {
      simple: express.urlencoded({ extended: false }),
      extended: express.urlencoded({ extended: true }),
      text: express.text({ type: '*/*' }),
      raw: express.raw({ type: '*/*' }),
      'none for forms': express.json(),
      'a placeholder': ((request, _response, next) => {
        Object.assign(request, { body: {} })
        next()
      }) as express.RequestHandler,
    }
    for (const [name, parser] of Object.entries(parsers)) {
      const app = express().use(parser).use(toNodeHandler(server.auth))
      await using listening = await listen(app)
      const post = (body: string) =>
        call(listening.url, '/oauth/token', { body, headers: { ...form, ...basic(machine) } }) as unknown as ReturnType<
          OAuthServer['call']
        >
      assert.equal((await post('grant_type=client_credentials&scope=introspect')).status, 200, name)
      assertOAuthError(await post('grant_type=client_credentials&scope=a&scope=b'), [400, 'invalid_request'], name)
      assertOAuthError(await post('scope=introspect'), [400, 'invalid_request'], name)
    }
  })
})
