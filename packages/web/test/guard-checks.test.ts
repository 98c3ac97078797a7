import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GUARD_ERRORS } from '@sealwax/guard'
import { resultsOfChecks } from '../src/learn/guard-checks.ts'

const resultsOf = (code: string | undefined) => resultsOfChecks(code)?.map(({ result }) => result)

test('the checks of the guard: each refusal of a token belongs to exactly one', () => {
  const codes = Object.keys(GUARD_ERRORS).filter((code) => !NOT_ABOUT_THE_TOKEN.includes(code))
  assert.ok(codes.length > 15)
  for (const code of codes) {
    const results = resultsOf(code)
    assert.equal(results?.filter((result) => result === 'refused').length, 1, code)
  }
})

/** These say something about the request or the server. */
const NOT_ABOUT_THE_TOKEN = ['csrf_failed', 'revocation_unavailable', 'keys_unavailable', 'proofs_unavailable']

test('the checks of the guard: those before a refusal passed, those after it were not reached', () => {
  assert.deepEqual(resultsOf('token_signature_invalid'), [
    ...['passed', 'passed', 'refused'],
    ...['not reached', 'not reached', 'not reached', 'not reached'],
  ])
})

test('the checks of the guard: an accepted request passed all', () => {
  assert.deepEqual(new Set(resultsOf(undefined)), new Set(['passed']))
})

test('the checks of the guard: a code of another origin has no place among them', () => {
  for (const code of [...NOT_ABOUT_THE_TOKEN, 'too_many_attempts']) assert.equal(resultsOf(code), undefined, code)
})
