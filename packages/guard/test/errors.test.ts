import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { GuardError, type GuardErrorCode, refusalAnswer } from '../src/index.ts'

type Row = readonly [status: number, title: string, challenge: string | undefined, retryAfter?: string]

const invalidToken = (description: string) =>
  `Bearer realm="api", error="invalid_token", error_description="${description}"`
const bad: Row = [401, 'Invalid token', invalidToken('Invalid token')]

/** The compiler demands a row for every code. */
const rows: Record<GuardErrorCode, Row> = {
  token_missing: [401, 'Missing bearer token', 'Bearer realm="api"'],
  invalid_request: [
    400,
    'Invalid request',
    'Bearer realm="api", error="invalid_request", error_description="Invalid request"',
  ],
  token_malformed: bad,
  token_signature_invalid: bad,
  token_expired: [401, 'Token has expired', invalidToken('Token has expired')],
  token_not_yet_valid: bad,
  token_issuer_invalid: bad,
  token_audience_invalid: bad,
  token_type_invalid: bad,
  token_algorithm_not_allowed: bad,
  token_key_unknown: bad,
  token_claim_missing: bad,
  token_claim_invalid: bad,
  token_proof_required: bad,
  token_revoked: [401, 'Token has been revoked', invalidToken('Token has been revoked')],
  token_stale: [401, 'Token is out of date', invalidToken('Token is out of date')],
  reauthentication_required: [
    401,
    'Reauthentication required',
    'Bearer realm="api", error="insufficient_user_authentication", error_description="Reauthentication required"',
  ],
  insufficient_scope: [
    403,
    'Insufficient scope',
    'Bearer realm="api", error="insufficient_scope", error_description="Insufficient scope"',
  ],
  insufficient_role: [
    403,
    'Insufficient role',
    'Bearer realm="api", error="insufficient_scope", error_description="Insufficient role"',
  ],
  check_failed: [403, 'Access denied', undefined],
  revocation_unavailable: [503, 'Revocations unavailable', undefined, '5'],
  keys_unavailable: [503, 'Keys unavailable', undefined, '5'],
}

test('errors: each code has its status, title, challenge and problem body', () => {
  const codes = Object.keys(rows) as GuardErrorCode[]
  assert.equal(codes.length, 22)
  for (const code of codes) {
    const [status, title, challenge, retryAfter] = rows[code]
    const error = new GuardError(code)
    assert.equal(error.code, code)
    assert.equal(error.status, status, code)
    assert.equal(error.title, title, code)
    assert.deepEqual(
      error.headers,
      {
        'Cache-Control': 'no-store',
        ...(challenge && { 'WWW-Authenticate': challenge }),
        ...(retryAfter && { 'Retry-After': retryAfter }),
      },
      code,
    )
    assert.match(error.detail, /^[A-Z].+\.$/, code)
    assert.equal(error.message, error.detail)
    const type = `urn:sealwax:error:${code}`
    assert.deepEqual(error.problem(), { type, title, status, detail: error.detail, code, error: title })
  }
})

test('errors: a refusal as an HTTP answer is problem+json that is never stored', () => {
  const error = new GuardError('token_expired', { detail: 'The access token expired 37 seconds ago.' })
  const { status, headers, body } = refusalAnswer(error)
  assert.equal(status, 401)
  assert.deepEqual(headers, {
    'Cache-Control': 'no-store',
    'WWW-Authenticate': invalidToken('Token has expired'),
    'Content-Type': 'application/problem+json',
  })
  assert.deepEqual(JSON.parse(body), {
    type: 'urn:sealwax:error:token_expired',
    title: 'Token has expired',
    status: 401,
    detail: 'The access token expired 37 seconds ago.',
    code: 'token_expired',
    error: 'Token has expired',
  })
})

test('errors: insufficient_scope names the scopes and reauthentication_required the age', () => {
  const scope = new GuardError('insufficient_scope', { scopes: ['orders:read', 'orders:write'] })
  assert.equal(
    scope.headers['WWW-Authenticate'],
    'Bearer realm="api", error="insufficient_scope", error_description="Insufficient scope", scope="orders:read orders:write"',
  )
  const fresh = new GuardError('reauthentication_required', { maxAge: 300 })
  assert.equal(
    fresh.headers['WWW-Authenticate'],
    'Bearer realm="api", error="insufficient_user_authentication", error_description="Reauthentication required", max_age="300"',
  )
})

test('errors: the realm is quoted, and cannot break out of its quotes or its line', () => {
  const headerOf = (realm: string) => new GuardError('token_missing', { realm }).headers['WWW-Authenticate']
  assert.equal(headerOf('orders'), 'Bearer realm="orders"')
  assert.equal(headerOf('a "b" \\c'), 'Bearer realm="a \\"b\\" \\\\c"')
  assert.equal(headerOf('a\r\nSet-Cookie: b=ü'), 'Bearer realm="a??Set-Cookie: b=?"')
})

test('errors: one class with a name, a stack, and a cause that stays in the process', () => {
  const cause = new Error('the store is down')
  const error = new GuardError('keys_unavailable', { cause, kid: 'key-1', sessionId: 's-1' })
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'GuardError')
  assert.match(error.stack ?? '', /^GuardError: The keys/)
  assert.equal(error.cause, cause)
  assert.equal(error.kid, 'key-1')
  assert.equal(error.sessionId, 's-1')
  assert.ok(!refusalAnswer(error).body.includes('store'))
  assert.ok(!('cause' in new GuardError('token_missing')))
  assert.ok(!inspect(new GuardError('token_missing')).includes('kid'))
})

test('errors: the header fields cannot be changed', () => {
  assert.ok(Object.isFrozen(new GuardError('token_missing').headers))
})
