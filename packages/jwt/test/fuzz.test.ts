import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claims } from '../fuzz/corpus.ts'
import { ours } from '../fuzz/judges.ts'
import { caseOf, runCases } from '../fuzz/run.ts'

test('differential fuzzing: jose accepts every token that verify accepts, with the same claims; nothing crashes or is slow (5,000 cases)', async (context) => {
  const report = await runCases({ seed: 20_270_115, from: 0, to: 5000 })
  assert.deepEqual(report.violations, [])
  assert.equal(report.cases, 5000)
  // Many cases are accepted by all verifiers, many only by others, and each kind of refusal occurs.
  for (const [name, times] of Object.entries(report.accepted)) assert.ok(times > 400, `${name} accepted ${times}`)
  const stricter = Object.values(report.stricter).reduce((sum, times) => sum + times, 0)
  assert.ok(stricter > 200, `stricter than jose in ${stricter}`)
  for (const code of [
    'MALFORMED',
    'HEADER',
    'ALGORITHM',
    'KEY_UNKNOWN',
    'SIGNATURE',
    'TYPE',
    'CLAIM',
    'CLAIM_MISSING',
    'ISSUER',
    'AUDIENCE',
    'EXPIRED',
    'NOT_YET_VALID',
    'PROOF_REQUIRED',
  ]) {
    assert.ok((report.refused[`ERR_JWT_${code}`] ?? 0) > 0, code)
  }
  context.diagnostic(
    `accepted ${JSON.stringify(report.accepted)}; stricter than jose in ${stricter}; slowest ${report.slowest.milliseconds.toFixed(2)} ms`,
  )
})

test('differential fuzzing: a seed always gives the same case, and different seeds give different cases', () => {
  for (let i = 0; i < 50; i++) assert.deepEqual(caseOf(7, i), caseOf(7, i))
  const tokens = new Set(Array.from({ length: 200 }, (_, i) => [caseOf(7, i).token, caseOf(8, i).token]).flat())
  assert.ok(tokens.size > 250, `${tokens.size} different tokens`)
})

test('differential fuzzing: a verifier that is lenient, throws or is slow is detected', async () => {
  const range = { seed: 7, from: 0, to: 200 }
  const lenient = await runCases(range, () => ({ claims }))
  assert.ok(lenient.violations.some(({ what }) => what.startsWith('accepted, and jose refuses it')))
  assert.ok(lenient.violations.some(({ what }) => what === 'jose reads other claims'))
  const crashing = await runCases(range, (token, strict) => {
    if (token.length % 5 === 0) throw new TypeError('x')
    return ours(token, strict)
  })
  assert.ok(crashing.violations.length > 0 && crashing.violations.every(({ what }) => what === 'threw TypeError: x'))
  const slow = await runCases({ seed: 7, from: 0, to: 2 }, (token, strict) => {
    const until = performance.now() + 6
    while (performance.now() < until);
    return ours(token, strict)
  })
  assert.ok(slow.violations.some(({ what }) => /^took \d/.test(what)))
})
