import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sign, type VerifyOptions, verify } from '@sealwax/jwt'
import { inspect } from '@sealwax/jwt/inspect'
import { audience, claims, craft, currentDate, hs256, issuer } from './craft.ts'

const token = craft(claims)
const good = { issuer, audience, typ: 'at+jwt', currentDate } as const
const check = (options: Partial<VerifyOptions>, of: string = token) => verify(of, hs256, { ...good, ...options })

test('verify: subject and jwtid accept exactly one value', () => {
  assert.equal(check({ subject: 'usr_1', jwtid: 'tok_1' }).payload.sub, 'usr_1')
  assert.throws(() => check({ subject: 'usr_2' }), { code: 'ERR_JWT_CLAIM', claim: 'sub' })
  assert.throws(() => check({ jwtid: 'tok_2' }), { code: 'ERR_JWT_CLAIM', claim: 'jti' })
  const { sub, jti, ...rest } = claims
  const header = { alg: 'HS256', kid: 'hs-1', typ: 'JWT' }
  for (const option of [{ subject: 'undefined' }, { jwtid: 'undefined' }]) {
    assert.throws(() => check({ typ: 'JWT', ...option }, craft(rest, header)), { code: 'ERR_JWT_CLAIM_MISSING' })
  }
  const numeric = craft({ ...rest, sub: 7 }, header)
  assert.equal(check({ typ: 'JWT', numericSubject: true, subject: '7' }, numeric).payload.sub, 7)
})

test('verify: maxTokenAge limits the time since iat, and needs it', () => {
  // The token is 60 seconds old.
  assert.ok(check({ maxTokenAge: 60 }))
  assert.ok(check({ maxTokenAge: 56 }), 'the clock tolerance of 5 seconds')
  assert.throws(() => check({ maxTokenAge: 54 }), { code: 'ERR_JWT_EXPIRED', claim: 'iat', message: /maxTokenAge/ })
  const { iat, ...rest } = claims
  const header = { alg: 'HS256', kid: 'hs-1', typ: 'JWT' }
  assert.throws(() => check({ typ: 'JWT', maxTokenAge: '1h' }, craft(rest, header)), {
    code: 'ERR_JWT_CLAIM_MISSING',
    claim: 'iat',
  })
})

test('verify: a function decides about the issuer and about each audience', () => {
  const seen: string[] = []
  const ofTenant = (name: string) => /^https:\/\/[a-z]+\.example\.com$/.test(name)
  assert.ok(check({ issuer: ofTenant, audience: ofTenant }))
  assert.throws(() => check({ issuer: () => false }), { code: 'ERR_JWT_ISSUER' })
  const two = craft({ ...claims, aud: ['a', 'b', 'c'] })
  assert.ok(check({ audience: (name) => seen.push(name) === 2 }, two))
  assert.deepEqual(seen, ['a', 'b'])
  assert.throws(() => check({ audience: () => false }, two), { code: 'ERR_JWT_AUDIENCE' })
  const { iss, aud, ...rest } = claims
  assert.throws(() => check({ issuer: () => true }, craft(rest)), { code: 'ERR_JWT_CLAIM_MISSING' })
})

test('verify: a function that returns anything but true or false is an error of the program', () => {
  for (const answer of [undefined, 1, 'yes', Promise.resolve(false), Promise.reject(new Error('down'))]) {
    for (const option of ['issuer', 'audience']) {
      assert.throws(() => check({ [option]: () => answer }), {
        code: 'ERR_JWT_OPTION',
        message: `the function ${option} must return true or false`,
      })
    }
  }
})

test('inspect: reports subject, jwtid and maxTokenAge as verify does', () => {
  const keys = [hs256]
  const codes = (options: object) => inspect(token, { ...good, keys, ...options }).findings.map(({ code }) => code)
  assert.deepEqual(codes({ subject: 'usr_1', jwtid: 'tok_1', maxTokenAge: 60 }), [])
  assert.deepEqual(codes({ subject: 'usr_2', jwtid: 'tok_2' }), ['ERR_JWT_CLAIM', 'ERR_JWT_CLAIM'])
  assert.deepEqual(codes({ maxTokenAge: 10 }), ['ERR_JWT_EXPIRED'])
})

test('sign: more header parameters are signed with the token, also after one without them', () => {
  const options = { issuer, audience, typ: 'at+jwt', expiresIn: '15m', currentDate } as const
  const plain = sign({}, hs256, options)
  const more = sign({}, hs256, { ...options, header: { ver: '2', chain: ['a', { b: 1 }] } })
  assert.deepEqual(check({}, more).header, {
    alg: 'HS256',
    kid: 'hs-1',
    typ: 'at+jwt',
    ver: '2',
    chain: ['a', { b: 1 }],
  })
  assert.equal(sign({}, hs256, options).split('.')[0], plain.split('.')[0])
  assert.deepEqual(check({}, plain).header, { alg: 'HS256', kid: 'hs-1', typ: 'at+jwt' })
})

test('sign: header parameters that the key sets, that verify refuses or that JSON cannot represent are refused', () => {
  const call = (header: unknown) => () =>
    sign({}, hs256, { issuer, audience, typ: null, expiresIn: 60, header: header as never })
  for (const name of ['alg', 'kid', 'typ', 'crit', 'b64', 'zip', 'enc', 'cty']) {
    assert.throws(call({ [name]: 'x' }), {
      code: 'ERR_JWT_OPTION',
      message: `sign: header must not have the parameter ${name} (got an object)`,
    })
  }
  let deep: unknown = 1
  for (let i = 0; i < 40; i += 1) deep = [deep]
  for (const value of [undefined, Number.NaN, 10n, () => {}, new Date(0), new Map(), '\ud800', deep]) {
    assert.throws(call({ value }), { message: /sign: header must have values that JSON can represent/ })
  }
  for (const header of [null, 'x', ['x'], new Map()]) {
    assert.throws(call(header), { message: /sign: header must be an object of header parameters/ })
  }
})
