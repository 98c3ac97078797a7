import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmac } from '../src/learn/exercise/hmac.ts'
import type { VerifierOutcome } from '../src/learn/exercise/protocol.ts'
import { decode, equal, verifyToken } from '../src/learn/exercise/provided.ts'
import { notedEqual, tryVerifier } from '../src/learn/exercise/try-verifier.ts'
import { discount } from '../src/learn/exercise/verdict.ts'
import { judgeComparison, judgeVerifier, makeVerifierCases } from '../src/learn/exercise/verifier-cases.ts'
import { VERIFIER_SOLUTION, VERIFIER_START } from '../src/learn/exercise/verifier-code.ts'

const cases = await makeVerifierCases(Math.floor(Date.now() / 1000))

/** Tries code with all tokens, as the worker does. */
async function outcomesOf(code: string): Promise<VerifierOutcome[]> {
  const verify = new Function('decode', 'hmac', 'equal', `${code}\nreturn verify`)(decode, hmac, notedEqual)
  const outcomes: VerifierOutcome[] = []
  for (const one of cases) outcomes.push(await tryVerifier(verify, one))
  return outcomes
}

/** The names of the tokens that the code judges wrongly. */
async function wrongIn(code: string): Promise<string[]> {
  const outcomes = await outcomesOf(code)
  const verdicts = cases.map((one, index) => judgeVerifier(one, outcomes[index] as VerifierOutcome, () => undefined))
  return cases.flatMap(({ name }, index) => (verdicts[index]?.right ? [] : [name]))
}

/** The solution with a change that must be one. */
function changed(from: string, to: string): string {
  assert.ok(VERIFIER_SOLUTION.includes(from))
  return VERIFIER_SOLUTION.replace(from, to)
}

test('verifier exercise: the solution judges every token correctly, and compares with equal', async () => {
  assert.deepEqual(await wrongIn(VERIFIER_SOLUTION), [])
  const [good, outcome] = [cases[0], (await outcomesOf(VERIFIER_SOLUTION))[0]]
  assert.ok(good && outcome && judgeComparison(good, outcome).right)
})

test('verifier exercise: the verifier with gaps accepts nothing, so none of its refusals counts', async () => {
  const outcomes = await outcomesOf(VERIFIER_START)
  const verdicts = cases.map((one, index) => judgeVerifier(one, outcomes[index] as VerifierOutcome, () => undefined))
  assert.equal(verdicts.filter(({ right }) => right).length, cases.length - 1)
  assert.equal(discount(verdicts).filter((verdict) => verdict?.right).length, 0)
})

const MISTAKES: readonly (readonly [mistake: string, code: string, noticed: readonly string[]])[] = [
  ['it only decodes', 'async function verify(t) { return JSON.parse(decode(t.split(".")[1])) }', names(1)],
  ['the parts are not counted', changed('parts.length !== 3', 'false'), ['A fourth part is appended']],
  ['alg is not checked', changed("alg !== 'HS256'", 'false'), ['alg is HS512, but the signature is made with HS256']],
  [
    'none is refused, and nothing else',
    changed("alg !== 'HS256'", "alg === 'none'"),
    ['alg is HS512, but the signature is made with HS256'],
  ],
  [
    'alg of none skips the signature',
    changed("if (alg !== 'HS256') throw new Error('alg is not HS256')", '').replace(
      '!equal',
      "alg !== 'none' && !equal",
    ),
    ['alg is none, and the signature is empty', 'alg is HS512, but the signature is made with HS256'],
  ],
  [
    'the signature is not compared',
    changed('!equal(signature, expected)', 'false'),
    [
      'Payload changed: the role is now teacher',
      'Signed with another secret',
      'Truncated: the last ten characters are missing',
    ],
  ],
  [
    'only the beginning of the signature is compared',
    changed('equal(signature, expected)', 'expected.startsWith(signature)'),
    ['Truncated: the last ten characters are missing'],
  ],
  ['exp may be missing', changed("typeof claims.exp !== 'number'", 'false'), ['Without exp']],
  ['exp is not compared', changed('claims.exp <= Date.now() / 1000', 'false'), ['Expired a minute ago']],
  ['exp is compared with milliseconds', changed('Date.now() / 1000', 'Date.now()'), ['Good']],
  ['it returns nothing', changed('return claims', ''), ['Good']],
  ['it returns true', changed('return claims', 'return true'), ['Good']],
  ['it returns false instead of throwing', 'async function verify() { return false }', names(0)],
  ['it does not wait for hmac', changed('await hmac', 'hmac'), ['Good']],
  ['a name is misspelled', changed("throw new Error('expired')", "throw Eror('expired')"), ['Expired a minute ago']],
]

function names(from: number): string[] {
  return cases.slice(from).map(({ name }) => name)
}

for (const [mistake, code, noticed] of MISTAKES) {
  test(`verifier exercise: notices when ${mistake}`, async () => {
    assert.deepEqual(await wrongIn(code), noticed)
  })
}

test('verifier exercise: === gives the right results, and it is noticed that equal is not used', async () => {
  const code = changed('equal(signature, expected)', '(signature === expected)')
  assert.deepEqual(await wrongIn(code), [])
  const [good, outcome] = [cases[0], (await outcomesOf(code))[0]]
  assert.equal(good && outcome && judgeComparison(good, outcome).right, false)
})

test('verifier exercise: equal must get both signatures', async () => {
  const code = changed('!equal(signature, expected)', "!equal('a', 'a') || signature !== expected")
  const [good, outcome] = [cases[0], (await outcomesOf(code))[0]]
  assert.equal(good && outcome && judgeComparison(good, outcome).right, false)
})

test('verifier exercise: each run has another secret and another user', async () => {
  const again = await makeVerifierCases(Math.floor(Date.now() / 1000))
  assert.notEqual(again[0]?.secret, cases[0]?.secret)
  assert.notEqual(again[0]?.claims?.sub, cases[0]?.claims?.sub)
})

test('exercise: the verifier of the second exercise accepts the good token only', async () => {
  for (const { token, secret, claims } of cases) {
    const result = verifyToken(token, secret, hmac)
    if (claims === undefined) await assert.rejects(result)
    else assert.deepEqual(await result, claims)
  }
  await assert.rejects(verifyToken(undefined as unknown as string, 'secret', hmac), TypeError)
})

test('exercise: hmac agrees with RFC 4231, and equal compares whole strings', async () => {
  // Test case 2.
  const octets = Buffer.from('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843', 'hex')
  assert.equal(await hmac('Jefe', 'what do ya want for nothing?'), octets.toString('base64url'))
  assert.equal(equal('abc', 'abc'), true)
  assert.equal(equal('abc', 'abd'), false)
  assert.equal(equal('abc', 'abcd'), false)
  assert.equal(equal('', ''), true)
  assert.throws(() => equal('abc', undefined as unknown as string), TypeError)
})
