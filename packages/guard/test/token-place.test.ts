import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRevocationList, type GuardError, type GuardRequest, type TokenPlace } from '../src/index.ts'
import { guardWith, ISSUED, tokenFor } from './tokens.ts'

const token = tokenFor()

/** The same header fields as a plain object, as Node has them, and as a web request has them. */
function requests(fields: readonly (readonly [name: string, value: string])[], url = '/'): GuardRequest[] {
  const headers: Record<string, string> = {}
  for (const [name, value] of fields) {
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  const web = new Headers(fields.map(([name, value]) => [name, value]))
  return [
    { headers, url },
    { headers, rawHeaders: fields.flat(), url },
    { headers: web, url },
  ]
}

function outcomes(place: TokenPlace, fields: readonly (readonly [string, string])[], url?: string): string[] {
  const guard = guardWith({ token: place })
  const all = requests(fields, url).map((request) => {
    try {
      const auth = guard.authenticate(request)
      return auth instanceof Promise ? 'a promise' : auth.subject
    } catch (error) {
      return (error as GuardError).code
    }
  })
  return [...new Set(all)]
}

test('token: in a header of its own, without a scheme, and nowhere else', () => {
  const place = { header: 'Cf-Access-Jwt-Assertion' }
  const name = 'cf-access-jwt-assertion'
  assert.deepEqual(outcomes(place, [[name, token]]), ['user-123'])
  assert.deepEqual(outcomes(place, [['CF-Access-Jwt-Assertion', token]]), ['user-123'])
  assert.deepEqual(outcomes(place, [['Authorization', `Bearer ${token}`]]), ['token_missing'])
  assert.deepEqual(outcomes(place, [[name, '']]), ['token_missing'])
  assert.deepEqual(outcomes(place, [[name, `Bearer ${token}`]]), ['invalid_request'])
  assert.deepEqual(
    outcomes(place, [
      [name, token],
      [name, token],
    ]),
    ['invalid_request'],
  )
  assert.deepEqual(outcomes(place, [[name, 'abc']]), ['token_malformed'])
  // Another service may use the Authorization header.
  assert.deepEqual(
    outcomes(place, [
      [name, token],
      ['Authorization', 'Basic YTpi'],
    ]),
    ['user-123'],
  )
  assert.deepEqual(outcomes(place, [[name, token]], `/?access_token=${token}`), ['invalid_request'])
})

test('token: after another scheme than Bearer', () => {
  const place = { scheme: 'Token' }
  assert.deepEqual(outcomes(place, [['Authorization', `Token ${token}`]]), ['user-123'])
  assert.deepEqual(outcomes(place, [['authorization', `token ${token}`]]), ['user-123'])
  assert.deepEqual(outcomes(place, [['Authorization', `Bearer ${token}`]]), ['token_missing'])
  for (const value of ['Token', `Token\t${token}`, `Token  ${token}`, `Basic YTpi, Token ${token}`]) {
    assert.deepEqual(outcomes(place, [['Authorization', value]]), ['invalid_request'], value)
  }
  assert.deepEqual(outcomes({ header: 'X-Auth', scheme: 'JWT' }, [['x-auth', `JWT ${token}`]]), ['user-123'])
  assert.deepEqual(outcomes({ header: 'Authorization' }, [['authorization', `Bearer ${token}`]]), ['user-123'])
})

test('token: where a function finds it', () => {
  const place = ({ headers }: GuardRequest) => new Headers(headers as never).get('x-token')?.slice(2)
  const guard = guardWith({ token: place })
  const auth = guard.authenticate({ headers: { 'x-token': `t:${token}` } })
  assert.ok(!(auth instanceof Promise) && auth.subject === 'user-123')
  const refused = (value: unknown) => {
    try {
      void guardWith({ token: () => value as string }).authenticate({ headers: {} })
    } catch (error) {
      return (error as GuardError).code ?? (error as Error).message
    }
    return 'accepted'
  }
  assert.equal(refused(undefined), 'token_missing')
  assert.equal(refused(''), 'token_missing')
  assert.equal(refused('a b'), 'invalid_request')
  assert.equal(refused(7), 'createGuard: token must return a string or undefined')
  assert.equal(refused(Promise.reject(new Error('x'))), 'createGuard: token must return a string or undefined')
})

test('token: a refusal names the header, and the challenge the scheme', () => {
  const missing = (place: TokenPlace) => {
    try {
      void guardWith({ token: place }).authenticate({ headers: {} })
    } catch (error) {
      const { detail, headers } = error as GuardError
      return [detail, headers['WWW-Authenticate']]
    }
    return assert.fail('accepted')
  }
  assert.deepEqual(missing({ header: 'X-Access-Token' }), [
    'Send an access token in the X-Access-Token header.',
    'Bearer realm="api"',
  ])
  assert.deepEqual(missing({ scheme: 'JWT' }), [
    'Send an access token in the Authorization header: "JWT", one space, the token.',
    'JWT realm="api"',
  ])
  assert.deepEqual(
    missing(() => undefined),
    ['The request carries no access token.', 'Bearer realm="api"'],
  )
})

test('token: revocations, optional routes and the cache work as with the usual header', () => {
  const revocation = createRevocationList({ now: () => ISSUED * 1000 })
  const guard = guardWith({ token: { header: 'X-Token' }, revocation })
  const request = { headers: { 'x-token': tokenFor({ sid: 's' }) } }
  for (let turn = 0; turn < 2; turn += 1) assert.ok(guard.authenticate(request))
  assert.equal(guard.authenticate({ headers: {} }, { optional: true }), undefined)
  revocation.add({ kind: 'sid', sid: 's', until: ISSUED + 86_400 })
  assert.throws(() => void guard.authenticate(request), { code: 'token_revoked' })
})

test('token: a place that is no header field, and a second place, are refused when the guard is created', () => {
  const message = (options: object) => {
    try {
      guardWith(options)
    } catch (error) {
      return (error as Error).message
    }
    return assert.fail('accepted')
  }
  assert.equal(
    message({ token: { header: 'Cookie' } }),
    'createGuard: token.header must be the name of a header field other than Cookie (got a string)',
  )
  assert.equal(message({ token: { query: 'token' } }), 'createGuard: there is no option "token.query"')
  assert.equal(
    message({ token: { scheme: 'B earer' } }),
    "createGuard: token.scheme must be the name of a scheme such as 'Bearer' (got a string)",
  )
  assert.equal(
    message({ token: { header: 'X-Token' }, cookie: { name: 'a' } }),
    'createGuard: cookie and token cannot be combined: a token is accepted in one place only',
  )
})
