import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { GuardError, type GuardErrorCode, refusalAnswer } from '../src/index.ts'
import { type ProtectedResourceOptions, protectedResourceMetadata } from '../src/resource-metadata.ts'
import { bearing, guardWith } from './tokens.ts'

type Row = readonly [status: number, title: string, challenge: string | undefined, retryAfter?: string]

const invalidToken = (description: string) =>
  `Bearer realm="api", error="invalid_token", error_description="${description}"`
const bad: Row = [401, 'Invalid token', invalidToken('Invalid token')]

/** The compiler requires a row for every code. */
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
  token_binding_invalid: [
    401,
    'Invalid key binding',
    'DPoP realm="api", error="invalid_token", error_description="Invalid key binding"',
  ],
  dpop_proof_invalid: [
    401,
    'Invalid DPoP proof',
    'DPoP realm="api", error="invalid_dpop_proof", error_description="Invalid DPoP proof"',
  ],
  dpop_nonce_required: [
    401,
    'DPoP nonce required',
    'DPoP realm="api", error="use_dpop_nonce", error_description="DPoP nonce required"',
  ],
  proofs_unavailable: [503, 'Used proofs unavailable', undefined, '5'],
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
  csrf_failed: [403, 'Cross-site request refused', undefined],
  revocation_unavailable: [503, 'Revocations unavailable', undefined, '5'],
  keys_unavailable: [503, 'Keys unavailable', undefined, '5'],
}

test('errors: each code has its status, title, challenge and problem body', () => {
  const codes = Object.keys(rows) as GuardErrorCode[]
  assert.equal(codes.length, 27)
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

test('errors: a refusal as an HTTP response is problem+json with no-store', () => {
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

test('errors: GuardError has a name, a stack, and a cause that is not sent', () => {
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

test('errors: challenges refer to the metadata of the API if the option is set (RFC 9728 §5.1)', () => {
  const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource'
  const options = { resourceMetadata }
  const ending = `resource_metadata="${resourceMetadata}"`
  for (const code of ['token_missing', 'token_expired', 'insufficient_scope', 'invalid_request'] as const) {
    assert.ok(new GuardError(code, options).headers['WWW-Authenticate']?.endsWith(`, ${ending}`), code)
  }
  for (const code of ['check_failed', 'csrf_failed', 'keys_unavailable'] as const) {
    assert.equal(new GuardError(code, options).headers['WWW-Authenticate'], undefined, code)
  }
})

test('errors: creating a refusal does not change the stack limit of the program', () => {
  const limit = Error.stackTraceLimit
  const error = new GuardError('token_missing')
  assert.equal(Error.stackTraceLimit, limit)
  assert.equal(error.stack?.split('\n').length, 1)
})

test('metadata: describes where to get a token for the API (RFC 9728 §2)', () => {
  const resource = 'https://api.example.com/v1'
  const authorizationServers = ['https://auth.example.com']
  const least = { resource, authorization_servers: authorizationServers, bearer_methods_supported: ['header'] }
  assert.deepEqual(protectedResourceMetadata({ resource, authorizationServers }), least)
  const scopesSupported = ['orders:read', 'orders:write']
  assert.deepEqual(protectedResourceMetadata({ resource, authorizationServers, scopesSupported }), {
    ...least,
    scopes_supported: scopesSupported,
  })
  assert.ok(protectedResourceMetadata({ resource: 'http://localhost:3000', authorizationServers }))
})

test('metadata: refuses an invalid resource URL, list of issuers or list of scopes', () => {
  const whole = { resource: 'https://api.example.com', authorizationServers: ['https://auth.example.com'] }
  const wrong: Record<string, unknown>[] = [
    { resource: undefined },
    { resource: 'api.example.com' },
    { resource: 'http://api.example.com' },
    { resource: 'https://api.example.com#a' },
    { resource: 'https://user:pass@api.example.com' },
    { authorizationServers: [] },
    { authorizationServers: 'https://auth.example.com' },
    { authorizationServers: ['http://auth.example.com'] },
    { authorizationServers: [7] },
    { scopesSupported: 'a b' },
    { scopesSupported: ['a b'] },
    { scopesSupported: [] },
    { scopes: ['a'] },
  ]
  for (const part of wrong) {
    const options = { ...whole, ...part } as unknown as ProtectedResourceOptions
    assert.throws(() => protectedResourceMetadata(options), TypeError, inspect(part))
  }
})

test('metadata: challenges contain its URL if the guard has one, and are unchanged otherwise', () => {
  const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource'
  const challenged = (request: Parameters<ReturnType<typeof guardWith>['authenticate']>[0], options = {}) => {
    try {
      return assert.fail(String(guardWith(options).authenticate(request)))
    } catch (error) {
      return error instanceof GuardError ? error.headers['WWW-Authenticate'] : String(error)
    }
  }
  const nothing = { headers: {} }
  assert.equal(challenged(nothing), 'Bearer realm="api"')
  assert.equal(challenged(nothing, { resourceMetadata }), `Bearer realm="api", resource_metadata="${resourceMetadata}"`)
  assert.match(challenged(bearing('abc'), { resourceMetadata }) ?? '', /error="invalid_token", .*resource_metadata="/)
})
