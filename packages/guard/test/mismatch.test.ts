import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKey, importKey } from '@sealwax/jwt'
import type { GuardError, GuardOptions } from '../src/index.ts'
import { audience, issuer, key, refusalOf, secret, tokenFor } from './tokens.ts'

/** The messages of all causes of a refusal. */
function told(error: GuardError): string {
  const messages: string[] = []
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) messages.push(cause.message)
  return messages.join(' <- ')
}

test('guard: the log gets the expected issuer, audience, type or algorithm, and the received one', async () => {
  const es256 = await generateKey('ES256', { kid: 'key-1' })
  const es256Only: Partial<GuardOptions> = { algorithms: ['ES256'] }
  const cases: readonly [token: string, options: Partial<GuardOptions>, expected: unknown, received: unknown][] = [
    [tokenFor({}, { issuer: 'https://evil.example' }), {}, issuer, 'https://evil.example'],
    [tokenFor({}, { audience: 'billing-api' }), {}, audience, 'billing-api'],
    [tokenFor({}, { audience: ['a', 'b'] }), { audience: ['c', 'd'] }, ['c', 'd'], ['a', 'b']],
    [tokenFor({}, { typ: 'JWT' }), {}, 'at+jwt', 'JWT'],
    [tokenFor({}, { typ: null }), {}, 'at+jwt', undefined],
    [tokenFor(), es256Only, ['ES256'], 'HS256'],
    [tokenFor(), { keys: es256.publicKey }, 'ES256', 'HS256'],
    [tokenFor({}, {}, importKey(secret(7, 64), { alg: 'HS512', kid: 'key-1' })), {}, 'HS256', 'HS512'],
  ]
  for (const [token, options, expected, received] of cases) {
    const error = refusalOf(token, options)
    assert.deepEqual([error.expected, error.received], [expected, received], error.code)
    const text = told(error)
    for (const value of [expected, received ?? 'none'].flat()) assert.ok(text.includes(String(value)), text)
    assert.doesNotMatch(text, /slash/)
  }
})

test('guard: the log shows if issuer or audience differ only by a slash', () => {
  const bare = 'https://api.example.com'
  const cases: readonly [token: string, options: Partial<GuardOptions>][] = [
    [tokenFor({}, { issuer: `${issuer}/` }), {}],
    [tokenFor(), { issuer: `${issuer}/` }],
    [tokenFor({}, { audience: `${bare}/` }), { audience: bare }],
    [tokenFor({}, { audience: ['x', bare] }), { audience: ['y', `${bare}/`] }],
    [tokenFor({}, { issuer: 'https://b.example/' }), { issuers: [{ issuer: 'https://b.example', keys: key }] }],
  ]
  for (const [token, options] of cases) {
    assert.match(
      told(refusalOf(token, options)),
      /expected the .* received .*: they differ only by the slash at the end$/,
    )
  }
})

test('guard: the refusal of an unknown key reports the issuer of the token, since that is the more likely mistake', async () => {
  const other = await generateKey('ES256')
  const error = refusalOf(tokenFor({}, { issuer: `${issuer}/` }, other))
  assert.equal(error.code, 'token_key_unknown')
  assert.deepEqual([error.expected, error.received], [issuer, `${issuer}/`])
  assert.match(told(error), /slash/)
  const ours = refusalOf(tokenFor({}, {}, other))
  assert.deepEqual([ours.expected, ours.received], [undefined, undefined])
})

test('guard: the expected value is never sent, and a token cannot forge a line of the log', () => {
  const error = refusalOf(tokenFor({}, { issuer: `https://evil.example\n${'x'.repeat(5000)}` }))
  assert.equal(error.code, 'token_issuer_invalid')
  assert.doesNotMatch(JSON.stringify([error.problem(), error.headers]), /evil|auth\.example/)
  assert.ok(String(error.received).length < 300)
  assert.doesNotMatch(`${told(error)}${String(error.received)}`, /\n/)
})
