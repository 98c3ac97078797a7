import assert from 'node:assert/strict'
import { createSecretKey, createHmac as hmacOf, constants as rsa, verify as verifySignature } from 'node:crypto'
import { test } from 'node:test'
import type { Algorithm, JwtErrorCode, SigningKey, VerificationKeys, VerifyOptions } from '@sealwax/jwt'
import {
  createLocalJWKSet,
  exportJwk,
  generateKey,
  importKey,
  JwtError,
  sign,
  unsafeDecode,
  verify,
} from '@sealwax/jwt'
import { audience, base64url, claims, craft, currentDate, header, hs256, issuer, now, rsaJwk, seal } from './craft.ts'

const options: VerifyOptions = { issuer, audience, typ: 'at+jwt', clockTolerance: 0, currentDate }

function refused(
  token: unknown,
  code: JwtErrorCode,
  changed: Record<string, unknown> = {},
  keys: unknown = hs256,
): JwtError {
  let thrown: unknown
  try {
    verify(token as string, keys as VerificationKeys, { ...options, ...changed } as VerifyOptions)
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof JwtError, `expected ${code}, got ${String(thrown)}`)
  assert.equal(thrown.code, code, thrown.message)
  return thrown
}

function without(...names: string[]): object {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)))
}

const algorithmNames: Algorithm[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'HS256',
  'HS384',
  'HS512',
]

async function keyFor(alg: Algorithm, kid: string): Promise<SigningKey> {
  return /^[RP]S/.test(alg) ? importKey(rsaJwk(), { alg, kid }) : generateKey(alg, { kid })
}

/** The signature by node:crypto, after RFC 7518 §3 instead of our table. */
function holds(alg: Algorithm, key: SigningKey, token: string): boolean {
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('HS')) {
    const jwk = exportJwk(key, { private: true })
    const raw = createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
    return hmacOf(hash, raw).update(input).digest().equals(signature)
  }
  const jwk = { key: exportJwk(key), format: 'jwk' } as const
  if (alg.startsWith('Ed')) return verifySignature(null, input, jwk, signature)
  if (alg.startsWith('ES')) return verifySignature(hash, input, { ...jwk, dsaEncoding: 'ieee-p1363' }, signature)
  if (alg.startsWith('RS')) return verifySignature(hash, input, jwk, signature)
  const padding = { padding: rsa.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 }
  return verifySignature(hash, input, { ...jwk, ...padding }, signature)
}

for (const alg of algorithmNames) {
  test(`${alg}: node:crypto verifies the signature, and another key, payload or length is refused`, async () => {
    const key = await keyFor(alg, 'one')
    const token = sign({ sub: 'usr_1' }, key, { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate })
    assert.ok(holds(alg, key, token))
    assert.equal(unsafeDecode(token).header.alg, alg)
    assert.equal(verify(token, key, options).payload.sub, 'usr_1')
    if (key.publicKey !== undefined) {
      const set = createLocalJWKSet({ keys: [exportJwk(key.publicKey)] })
      assert.equal(verify(token, set, { ...options, algorithms: [alg] }).header.kid, 'one')
    }
    const other = /^[RP]S/.test(alg) ? await generateKey(alg, { kid: 'one' }) : await keyFor(alg, 'one')
    refused(token, 'ERR_JWT_SIGNATURE', {}, other)
    const [head, , signature] = token.split('.')
    refused(
      `${head}.${base64url(JSON.stringify({ ...claims, sub: 'root' }))}.${signature}`,
      'ERR_JWT_SIGNATURE',
      {},
      key,
    )
    const octets = Buffer.from(signature ?? '', 'base64url')
    const input = token.slice(0, token.lastIndexOf('.'))
    for (const changed of [octets.subarray(1), Buffer.concat([octets, Buffer.of(0)]), Buffer.alloc(octets.length)]) {
      refused(`${input}.${base64url(changed)}`, 'ERR_JWT_SIGNATURE', {}, key)
    }
  })
}

test('verify: returns payload and header of a valid token as plain objects that are not shared', () => {
  const token = craft(claims)
  const first = verify(token, hs256, options)
  assert.deepEqual(first, { payload: claims, header })
  first.header.kid = 'changed'
  first.payload.sub = 'changed'
  assert.deepEqual(verify(token, hs256, options), { payload: claims, header })
})

test('verify: a nested header parameter is not shared between two callers', () => {
  const token = craft(claims, { ...header, note: { a: 1 } })
  const first = verify(token, hs256, options).header.note as { a: number }
  first.a = 2
  assert.deepEqual(verify(token, hs256, options).header.note, { a: 1 })
})

test('verify: a header with the prefix or the length of a cached header is still parsed', () => {
  const token = craft(claims)
  // The second time the header is cached, the third time it is the last one used.
  for (let i = 0; i < 3; i++) verify(token, hs256, options)
  const [head, payload] = token.split('.')
  refused(seal(`${head}AAAA.${payload}`), 'ERR_JWT_MALFORMED')
  refused(craft(claims, { ...header, kid: 'hs-2' }), 'ERR_JWT_KEY_UNKNOWN')
  assert.deepEqual(verify(token, hs256, options).header, header)
})

test('verify: a cached header does not make another signature valid', () => {
  const token = craft(claims)
  verify(token, hs256, options)
  const [head] = token.split('.')
  const forged = `${head}.${base64url(JSON.stringify({ ...claims, sub: 'root' }))}.${token.split('.')[2]}`
  refused(forged, 'ERR_JWT_SIGNATURE')
  refused(
    token,
    'ERR_JWT_KEY_UNKNOWN',
    {},
    importKey(Buffer.from('f'.repeat(31).concat('0')), { alg: 'HS256', kid: 'x' }),
  )
})

const wrongOptions: [name: string, changed: Record<string, unknown>][] = [
  ['issuer undefined', { issuer: undefined }],
  ['issuer empty', { issuer: '' }],
  ['issuer []', { issuer: [] }],
  ['issuer with an empty string', { issuer: [issuer, ''] }],
  ['issuer a RegExp', { issuer: /auth/ }],
  ['audience undefined', { audience: undefined }],
  ['audience []', { audience: [] }],
  ['audience with undefined', { audience: [undefined] }],
  ['audience a number', { audience: 5 }],
  ['typ undefined', { typ: undefined }],
  ['typ empty', { typ: '' }],
  ['typ with a parameter', { typ: 'at+jwt; charset=utf-8' }],
  ['typ with a space', { typ: ' at+jwt' }],
  ['algorithms undefined', { algorithms: undefined }],
  ['algorithms []', { algorithms: [] }],
  ['algorithms a string', { algorithms: 'HS256' }],
  ['algorithms a Set', { algorithms: new Set(['HS256']) }],
  ['algorithms an object', { algorithms: { 0: 'HS256', length: 1 } }],
  ['algorithms with none', { algorithms: ['none'] }],
  ['algorithms with an unknown name', { algorithms: ['HS256', 'ES256K'] }],
  ['algorithms with a member of Object.prototype', { algorithms: ['constructor'] }],
  ['requiredClaims undefined', { requiredClaims: undefined }],
  ['requiredClaims []', { requiredClaims: [] }],
  ['requiredClaims a string', { requiredClaims: 'sub' }],
  ['clockTolerance undefined', { clockTolerance: undefined }],
  ['clockTolerance negative', { clockTolerance: -1 }],
  ['clockTolerance over a minute', { clockTolerance: 61 }],
  ['clockTolerance NaN', { clockTolerance: Number.NaN }],
  ['clockTolerance without a unit', { clockTolerance: '5' }],
  ['maxLifetime undefined', { maxLifetime: undefined }],
  ['maxLifetime 0', { maxLifetime: 0 }],
  ['maxLifetime Infinity', { maxLifetime: Number.POSITIVE_INFINITY }],
  ['currentDate undefined', { currentDate: undefined }],
  ['currentDate a number', { currentDate: now }],
  ['currentDate invalid', { currentDate: new Date(Number.NaN) }],
  ['an unknown name', { audiences: audience }],
  ['an unknown name that is undefined', { maxAge: undefined }],
]

for (const [name, changed] of wrongOptions) {
  test(`verify: refuses the options with ${name}`, () => {
    refused(craft(claims), 'ERR_JWT_OPTION', changed)
    refused('garbage', 'ERR_JWT_OPTION', changed) // wrong options fail for any token
  })
}

test('verify: refuses a call without options, or without a required one', () => {
  const call = verify as unknown as (...args: unknown[]) => unknown
  const { issuer: _, ...rest } = options
  for (const wrong of [undefined, null, 'at+jwt', {}, rest]) {
    assert.throws(() => call(craft(claims), hs256, wrong), { code: 'ERR_JWT_OPTION' })
  }
})

test('verify: null turns off that check and no other', () => {
  const stranger = craft({ ...claims, iss: 'https://other', aud: 'https://other' }, { ...header, typ: 'JWT' })
  assert.ok(verify(stranger, hs256, { ...options, issuer: null, audience: null, typ: null }))
  refused(stranger, 'ERR_JWT_TYPE', { issuer: null, audience: null })
  refused(stranger, 'ERR_JWT_ISSUER', { audience: null, typ: null })
  refused(stranger, 'ERR_JWT_AUDIENCE', { issuer: null, typ: null })
})

test('verify: accepts one of several issuers and audiences', () => {
  const several = { ...options, issuer: ['https://a', issuer], audience: ['https://b', audience] }
  assert.ok(verify(craft(claims), hs256, several))
  assert.ok(verify(craft({ ...claims, aud: ['x', audience] }), hs256, several))
  refused(craft({ ...claims, aud: ['x', 'y'] }), 'ERR_JWT_AUDIENCE', several)
  refused(craft({ ...claims, iss: 'https://c' }), 'ERR_JWT_ISSUER', several)
})

test('verify: refuses any value that is not a string with a JwtError', () => {
  const token = craft(claims)
  const values = [
    undefined,
    null,
    42,
    1n,
    Symbol('x'),
    {},
    [],
    [token],
    Buffer.from(token),
    Object(token),
    Promise.resolve(token),
  ]
  for (const value of values) refused(value, 'ERR_JWT_MALFORMED')
})

test('verify: refuses another encoding of a valid token', () => {
  const token = craft(claims)
  const [head, body, signature] = token.split('.')
  const spellings = [
    `${token}.`,
    `.${token}`,
    `${token} `,
    `${token}=`,
    `${token}\n`,
    `${head}.${body}`,
    `${head}..${signature}`,
    `${head}=.${body}.${signature}`,
    `${head}.${body}é.${signature}`,
    `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}=`,
    'a'.repeat(8193),
    '..',
    '',
  ]
  for (const spelling of spellings) refused(spelling, 'ERR_JWT_MALFORMED')
})

test('verify: refuses unused bits that are not zero in each segment', () => {
  const padded = (text: string) => base64url(text).replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))
  const odd = (value: object, size: number) => {
    let text = JSON.stringify(value)
    while (text.length % 3 !== size) text += ' '
    return text
  }
  for (const size of [1, 2]) {
    refused(seal(`${base64url(odd(header, size))}.${padded(odd(claims, size))}`), 'ERR_JWT_MALFORMED')
    refused(seal(`${padded(odd(header, size))}.${base64url(odd(claims, size))}`), 'ERR_JWT_MALFORMED')
    assert.ok(verify(seal(`${base64url(odd(header, size))}.${base64url(odd(claims, size))}`), hs256, options))
  }
})

const wrongHeaders: [name: string, head: object | string, code: JwtErrorCode][] = [
  ['crit', { ...header, crit: ['exp'] }, 'ERR_JWT_HEADER'],
  ['crit null', { ...header, crit: null }, 'ERR_JWT_HEADER'],
  ['b64', { ...header, b64: true }, 'ERR_JWT_HEADER'],
  ['zip', { ...header, zip: 'DEF' }, 'ERR_JWT_HEADER'],
  ['enc', { ...header, enc: 'A256GCM' }, 'ERR_JWT_HEADER'],
  ['cty', { ...header, cty: 'JWT' }, 'ERR_JWT_HEADER'],
  ['a kid that is a number', { ...header, kid: 1 }, 'ERR_JWT_HEADER'],
  ['a kid that is null', { ...header, kid: null }, 'ERR_JWT_HEADER'],
  ['a kid of 257 characters', { ...header, kid: 'k'.repeat(257) }, 'ERR_JWT_HEADER'],
  ['a typ that is a list', { ...header, typ: ['at+jwt'] }, 'ERR_JWT_HEADER'],
  ['no alg', { kid: 'hs-1', typ: 'at+jwt' }, 'ERR_JWT_ALGORITHM'],
  ['alg none', { ...header, alg: 'none' }, 'ERR_JWT_ALGORITHM'],
  ['alg of the same family', { ...header, alg: 'HS512' }, 'ERR_JWT_ALGORITHM'],
  ['alg in lower case', { ...header, alg: 'hs256' }, 'ERR_JWT_ALGORITHM'],
  ['alg __proto__', { ...header, alg: '__proto__' }, 'ERR_JWT_ALGORITHM'],
  ['another kid', { ...header, kid: 'hs-2' }, 'ERR_JWT_KEY_UNKNOWN'],
  ['another typ', { ...header, typ: 'id+jwt' }, 'ERR_JWT_TYPE'],
  ['typ with a parameter', { ...header, typ: 'at+jwt;x=y' }, 'ERR_JWT_TYPE'],
  ['typ with a Kelvin sign', { ...header, typ: 'to\u212Aen+jwt' }, 'ERR_JWT_TYPE'],
  ['typ with application/ twice', { ...header, typ: 'application/application/at+jwt' }, 'ERR_JWT_TYPE'],
  ['no typ', { alg: 'HS256', kid: 'hs-1' }, 'ERR_JWT_TYPE'],
  ['a list', '[{"alg":"HS256"}]', 'ERR_JWT_MALFORMED'],
  ['a member twice', '{"alg":"HS256","kid":"hs-1","kid":"hs-1","typ":"at+jwt"}', 'ERR_JWT_MALFORMED'],
]

for (const [name, head, code] of wrongHeaders) {
  test(`verify: refuses a header with ${name}`, () => {
    refused(craft(claims, head), code)
    refused(craft(claims, head), code) // also the second time, since it was not cached
  })
}

test('verify: keys named by the header are ignored', () => {
  const named = {
    ...header,
    jku: 'http://127.0.0.1:9/',
    x5u: 'http://127.0.0.1:9/',
    jwk: { kty: 'oct', k: 'AA' },
    x5c: ['AA'],
  }
  assert.ok(verify(craft(claims, named), hs256, options))
})

for (const typ of ['AT+JWT', 'application/at+jwt', 'Application/At+Jwt']) {
  test(`verify: accepts ${typ} for at+jwt, in the header and in the options`, () => {
    assert.ok(verify(craft(claims, { ...header, typ }), hs256, options))
    assert.ok(verify(craft(claims), hs256, { ...options, typ }))
    refused(craft(without('iat'), header), 'ERR_JWT_CLAIM_MISSING', { typ }) // in any case and form of typ
  })
}

const everyToken: [name: string, payload: object | string, code: JwtErrorCode, claim?: string][] = [
  ['exp a string', { ...claims, exp: '1800000840' }, 'ERR_JWT_CLAIM', 'exp'],
  ['exp null', { ...claims, exp: null }, 'ERR_JWT_CLAIM', 'exp'],
  ['exp outside the range of a double', '{"exp":1e400}', 'ERR_JWT_MALFORMED'],
  ['exp now', { ...claims, exp: now }, 'ERR_JWT_EXPIRED', 'exp'],
  ['exp past', { ...claims, exp: now - 0.001 }, 'ERR_JWT_EXPIRED', 'exp'],
  ['nbf true', { ...claims, nbf: true }, 'ERR_JWT_CLAIM', 'nbf'],
  ['nbf ahead', { ...claims, nbf: now + 0.001 }, 'ERR_JWT_NOT_YET_VALID', 'nbf'],
  ['iat a list', { ...claims, iat: [now] }, 'ERR_JWT_CLAIM', 'iat'],
  ['iat 61 s ahead', { ...claims, iat: now + 61 }, 'ERR_JWT_NOT_YET_VALID', 'iat'],
  ['iss a list', { ...claims, iss: [issuer] }, 'ERR_JWT_CLAIM', 'iss'],
  ['iss longer', { ...claims, iss: `${issuer}/` }, 'ERR_JWT_ISSUER', 'iss'],
  ['no iss', without('iss'), 'ERR_JWT_CLAIM_MISSING', 'iss'],
  ['aud an object', { ...claims, aud: { 0: audience } }, 'ERR_JWT_CLAIM', 'aud'],
  ['aud with a number', { ...claims, aud: [audience, 5] }, 'ERR_JWT_CLAIM', 'aud'],
  ['aud []', { ...claims, aud: [] }, 'ERR_JWT_AUDIENCE', 'aud'],
  ['aud shorter', { ...claims, aud: audience.slice(0, -1) }, 'ERR_JWT_AUDIENCE', 'aud'],
  ['no aud', without('aud'), 'ERR_JWT_CLAIM_MISSING', 'aud'],
  ['sub a number', { ...claims, sub: 0 }, 'ERR_JWT_CLAIM', 'sub'],
  ['jti a number', { ...claims, jti: 7 }, 'ERR_JWT_CLAIM', 'jti'],
]

for (const [name, payload, code, claim] of everyToken) {
  test(`verify: refuses ${name} for any type`, () => {
    assert.equal(refused(craft(payload), code).claim, claim)
    assert.equal(refused(craft(payload), code, { typ: null }).claim, claim)
  })
}

const accessTokens: [name: string, payload: object, code: JwtErrorCode, claim: string][] = [
  ['no exp', without('exp'), 'ERR_JWT_CLAIM_MISSING', 'exp'],
  ['no iat', without('iat'), 'ERR_JWT_CLAIM_MISSING', 'iat'],
  ['exp before iat', { ...claims, iat: now + 30, exp: now + 30 }, 'ERR_JWT_CLAIM', 'exp'],
  ['a lifetime over 24 h', { ...claims, exp: claims.iat + 86_401 }, 'ERR_JWT_CLAIM', 'exp'],
  ['an empty sub', { ...claims, sub: '' }, 'ERR_JWT_CLAIM', 'sub'],
  ['a blank sub', { ...claims, sub: ' \u00a0\u2003' }, 'ERR_JWT_CLAIM', 'sub'],
  ['a sub with a line break', { ...claims, sub: 'a\nb' }, 'ERR_JWT_CLAIM', 'sub'],
  ['a sub with a C1 control', { ...claims, sub: 'a\u009bb' }, 'ERR_JWT_CLAIM', 'sub'],
  ['a sub of 257 characters', { ...claims, sub: 's'.repeat(257) }, 'ERR_JWT_CLAIM', 'sub'],
  ['an empty jti', { ...claims, jti: '' }, 'ERR_JWT_CLAIM', 'jti'],
  ['a client_id that is a number', { ...claims, client_id: 1 }, 'ERR_JWT_CLAIM', 'client_id'],
  ['scope as a list', { ...claims, scope: ['read'] }, 'ERR_JWT_CLAIM', 'scope'],
  ['token_use refresh', { ...claims, token_use: 'refresh' }, 'ERR_JWT_CLAIM', 'token_use'],
  ['token_type refresh', { ...claims, token_type: 'refresh' }, 'ERR_JWT_CLAIM', 'token_type'],
  ['cnf', { ...claims, cnf: { jkt: 'x' } }, 'ERR_JWT_PROOF_REQUIRED', 'cnf'],
  ['cnf null', { ...claims, cnf: null }, 'ERR_JWT_PROOF_REQUIRED', 'cnf'],
]

for (const [name, payload, code, claim] of accessTokens) {
  test(`verify: refuses an access token with ${name}, and accepts it as another type`, () => {
    assert.equal(refused(craft(payload), code).claim, claim)
    assert.ok(verify(craft(payload, { ...header, typ: 'JWT' }), hs256, { ...options, typ: 'JWT' }))
  })
}

test('verify: a token that is bound to a key is refused or accepted for any type, according to the option', () => {
  const bound = { ...claims, cnf: { jkt: 'x' } }
  for (const typ of ['at+jwt', 'JWT']) {
    const token = craft(bound, { ...header, typ })
    refused(token, 'ERR_JWT_PROOF_REQUIRED', { typ, senderConstrained: 'refuse' })
    refused(token, 'ERR_JWT_PROOF_REQUIRED', { typ: null, senderConstrained: 'refuse' })
    assert.ok(verify(token, hs256, { ...options, typ, senderConstrained: 'ignore' }))
  }
  for (const wrong of [true, 'allow', null]) {
    refused(craft(claims), 'ERR_JWT_OPTION', { senderConstrained: wrong as never })
  }
})

test('verify: a sub of letters outside ASCII, or of 256 characters, is accepted', () => {
  for (const sub of ['名前', 'é', '🔑', 's'.repeat(256)])
    assert.equal(verify(craft({ ...claims, sub }), hs256, options).payload.sub, sub)
})

test('verify: a whole number as sub is accepted only with numericSubject, and never for at+jwt', () => {
  const token = craft({ ...claims, sub: 42 })
  refused(token, 'ERR_JWT_CLAIM', { typ: null })
  const { payload } = verify(token, hs256, { ...options, typ: null, numericSubject: true })
  assert.equal(payload.sub as unknown, 42)
  refused(token, 'ERR_JWT_CLAIM', { numericSubject: true })
  for (const sub of [1.5, -0.5, 2 ** 53, true, null, [1]]) {
    refused(craft({ ...claims, sub }), 'ERR_JWT_CLAIM', { typ: null, numericSubject: true })
  }
  refused(token, 'ERR_JWT_OPTION', { numericSubject: 'yes' as never })
})

test('verify: maxLifetime applies to any type, and requires exp and iat', () => {
  const plain = { typ: null, maxLifetime: '15m' }
  assert.ok(verify(craft(claims), hs256, { ...options, typ: null, maxLifetime: '15m' }))
  refused(craft({ ...claims, exp: now + 841 }), 'ERR_JWT_CLAIM', plain)
  refused(craft(without('iat')), 'ERR_JWT_CLAIM_MISSING', plain)
  refused(craft(without('exp')), 'ERR_JWT_CLAIM_MISSING', plain)
  assert.ok(verify(craft({ ...claims, exp: now + 100_000 }), hs256, { ...options, maxLifetime: '2d' }))
})

test('verify: requiredClaims checks own members only, and null is a value', () => {
  refused(craft(claims), 'ERR_JWT_CLAIM_MISSING', { requiredClaims: ['sid'] })
  assert.equal(refused(craft(claims), 'ERR_JWT_CLAIM_MISSING', { requiredClaims: ['toString'] }).claim, 'toString')
  assert.ok(verify(craft({ ...claims, sid: null }), hs256, { ...options, requiredClaims: ['sub', 'sid'] }))
})

test('verify: the tolerance applies to exp and nbf, and is 5 seconds by default', () => {
  const late = craft({ ...claims, exp: now - 4.9, nbf: now + 4.9 })
  refused(late, 'ERR_JWT_NOT_YET_VALID')
  assert.ok(verify(late, hs256, { issuer, audience, typ: 'at+jwt', currentDate }))
  assert.ok(verify(late, hs256, { ...options, clockTolerance: '5s' }))
  refused(craft({ ...claims, exp: now - 5 }), 'ERR_JWT_EXPIRED', { clockTolerance: 5 })
  refused(craft({ ...claims, nbf: now + 5.1 }), 'ERR_JWT_NOT_YET_VALID', { clockTolerance: 5 })
})

test('verify: throws expired only if every other check passes', () => {
  const expired = { ...claims, iat: now - 200, exp: now - 100 }
  refused(craft(expired), 'ERR_JWT_EXPIRED')
  refused(craft({ ...expired, aud: 'https://other' }), 'ERR_JWT_AUDIENCE')
  refused(craft({ ...expired, iss: 'https://other' }), 'ERR_JWT_ISSUER')
  refused(craft({ ...expired, scope: [] }), 'ERR_JWT_CLAIM')
})

test('verify: algorithms can only restrict the algorithms of the keys', () => {
  assert.ok(verify(craft(claims), hs256, { ...options, algorithms: ['ES256', 'HS256'] }))
  refused(craft(claims), 'ERR_JWT_ALGORITHM', { algorithms: ['ES256'] })
})

test('verify: an Ed25519 key accepts both names of its algorithm, and algorithms compares the name exactly', async () => {
  for (const [mine, other] of [['EdDSA', 'Ed25519'] as const, ['Ed25519', 'EdDSA'] as const]) {
    const key = await generateKey(mine, { kid: 'ed' })
    const twin = importKey(exportJwk(key), { alg: other })
    assert.equal(twin.alg, other)
    const token = sign({}, key, { issuer, audience, typ: 'at+jwt', expiresIn: 60, currentDate })
    assert.ok(verify(token, twin, options))
    assert.ok(verify(token, twin, { ...options, algorithms: [mine] }))
    refused(token, 'ERR_JWT_ALGORITHM', { algorithms: [other] }, twin)
  }
})

test('verify: a list of keys may mix algorithms, and the kid must match exactly', async () => {
  const ec = await generateKey('ES256', { kid: 'ec-1' })
  const keys = [hs256, ec, (await generateKey('Ed25519', { kid: 'HS-1' })).publicKey]
  assert.ok(verify(craft(claims), keys, options))
  refused(craft(claims, { ...header, kid: 'ec-1' }), 'ERR_JWT_ALGORITHM', {}, keys)
  refused(craft(claims, { alg: 'HS256', typ: 'at+jwt' }), 'ERR_JWT_KEY_UNKNOWN', {}, keys)
  assert.ok(verify(craft(claims, { alg: 'HS256', typ: 'at+jwt' }), [hs256], options))
  assert.ok(verify(craft(claims, { alg: 'HS256', typ: 'at+jwt' }), hs256, options))
})

test('verify: refuses values that are not keys', async () => {
  const ec = await generateKey('ES256', { kid: 'hs-1' })
  const token = craft(claims)
  refused(token, 'ERR_JWT_KEY_SET', {}, [])
  refused(token, 'ERR_JWT_KEY_SET', {}, [hs256, ec])
  refused(token, 'ERR_JWT_KEY', {}, [hs256, exportJwk(await generateKey('ES256'))])
  const { alg, kid } = hs256
  assert.throws(() => verify(token, undefined as unknown as VerificationKeys, options), { code: 'ERR_JWT_KEY' })
  const wrong = [null, 'secret', Buffer.alloc(32), { alg, kid }, structuredClone(hs256), Promise.resolve(hs256)]
  for (const keys of wrong) refused(token, 'ERR_JWT_KEY', {}, keys)
})

test('verify: a public PEM cannot be used as an HMAC secret', async () => {
  const key = importKey(rsaJwk(), { kid: 'rs-1' })
  const forged = craft(claims, { ...header, kid: 'rs-1' })
  refused(forged, 'ERR_JWT_ALGORITHM', { algorithms: ['RS256', 'HS256'] }, key)
})

test('verify: 8 KiB of garbage takes less time than one valid ES256 token', async () => {
  const key = await generateKey('ES256', { kid: 'es' })
  const good = sign({}, key, { issuer, audience, typ: 'at+jwt', expiresIn: 60, currentDate })
  const garbage = base64url(Buffer.alloc(6144, 'seal')).slice(0, 8192)
  const shapes = [
    garbage,
    `${garbage.slice(0, 8000)}.${garbage.slice(0, 100)}.${garbage.slice(0, 86)}`,
    `${good.slice(0, good.indexOf('.'))}.${garbage.slice(0, 7900)}.${garbage.slice(0, 86)}`,
  ]
  const fastest = (run: () => void) => {
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < 300; i++) {
      const started = performance.now()
      run()
      best = Math.min(best, performance.now() - started)
    }
    return best
  }
  const accepting = fastest(() => verify(good, key, options))
  for (const token of shapes) {
    const refusing = fastest(() => refused(token, 'ERR_JWT_MALFORMED', {}, key))
    assert.ok(refusing < accepting, `${refusing} ms against ${accepting} ms`)
  }
})

test('unsafeDecode: does not verify, and parses as strictly as verify', () => {
  const token = craft(claims, { alg: 'none' })
  assert.deepEqual(unsafeDecode(token), { header: { alg: 'none' }, payload: claims })
  for (const wrong of ['', 'a.b.c', `${token}=`, `${token}.`, craft('[]'), craft('{"a":1,"a":1}')]) {
    assert.throws(() => unsafeDecode(wrong), { code: 'ERR_JWT_MALFORMED' })
  }
})
