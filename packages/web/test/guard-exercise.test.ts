import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GuardCase, judgeGuard, makeGuardCases } from '../src/learn/exercise/guard-cases.ts'
import { GUARD_SOLUTION, GUARD_START } from '../src/learn/exercise/guard-code.ts'
import { hmac } from '../src/learn/exercise/hmac.ts'
import { verifyToken } from '../src/learn/exercise/provided.ts'
import { tryGuard } from '../src/learn/exercise/try-guard.ts'

const cases = await makeGuardCases(Math.floor(Date.now() / 1000))

/** What the code does with each request, by the name of the request, if it is wrong. */
async function wrongIn(code: string): Promise<Record<string, string>> {
  const verify = (token: string, secret: string) => verifyToken(token, secret, hmac)
  const guard = new Function('verify', `${code}\nreturn guard`)(verify)
  const wrong: Record<string, string> = {}
  for (const one of cases) {
    const { right, words } = judgeGuard(one, await tryGuard(guard, one), () => undefined)
    if (!right) wrong[one.name] = words
  }
  return wrong
}

/** The solution with a change that must be one. */
function changed(from: string, to: string): string {
  assert.ok(GUARD_SOLUTION.includes(from))
  return GUARD_SOLUTION.replace(from, to)
}

test('guard exercise: the solution replies correctly to every request', async () => {
  assert.deepEqual(await wrongIn(GUARD_SOLUTION), {})
})

test('guard exercise: the guard with gaps lets everybody in, and no reply is right', async () => {
  assert.equal(Object.keys(await wrongIn(GUARD_START)).length, cases.length)
})

test('guard exercise: notices a 401 without WWW-Authenticate', async () => {
  const wrong = await wrongIn(changed(", { 'WWW-Authenticate': 'Bearer' }", ''))
  assert.equal(Object.keys(wrong).length, cases.length - 2)
  assert.equal(wrong['Without the header'], 'replied 401, but without WWW-Authenticate')
})

test('guard exercise: notices a scheme in WWW-Authenticate that is not Bearer', async () => {
  const wrong = await wrongIn(changed("'WWW-Authenticate': 'Bearer'", "'WWW-Authenticate': 'Basic'"))
  assert.equal(Object.keys(wrong).length, cases.length - 2)
})

test('guard exercise: notices a scheme that must be in capital letters', async () => {
  assert.deepEqual(await wrongIn(changed('/i.exec', '/.exec')), {
    'Good, with bearer in small letters': 'replied 401',
  })
})

test('guard exercise: notices a token that is accepted without Bearer', async () => {
  const wrong = await wrongIn(changed('/^Bearer (\\S+)$/i', '/^(?:Bearer )?(\\S+)$/i'))
  assert.deepEqual(Object.keys(wrong), ['Malformed: a token without Bearer'])
})

test('guard exercise: notices a scheme that is not compared as a whole, or not at all', async () => {
  const name = 'Another scheme: NotBearer'
  assert.deepEqual(Object.keys(await wrongIn(changed('/^Bearer', '/Bearer'))), [name])
  const code = changed('const [, token] = /^Bearer (\\S+)$/i.exec(value) ?? []', "const token = value.split(' ')[1]")
  assert.deepEqual(Object.keys(await wrongIn(code)), [name])
})

test('guard exercise: notices a token that is only decoded', async () => {
  const decoding = "JSON.parse(atob(token.split('.')[1]))"
  const wrong = await wrongIn(changed('await verify(token, c.env.SECRET)', decoding))
  assert.deepEqual(Object.keys(wrong), ['Forged: signed with another secret', 'Expired a minute ago'])
})

test('guard exercise: notices a route that runs before the request is refused', async () => {
  const code = `async function guard(c, next) {
    await next()
    c.res = undefined
    c.res = c.text('no', 401, { 'WWW-Authenticate': 'Bearer' })
  }`
  assert.equal((await wrongIn(code))['Without the header'], 'replied 401, but the route was run before')
})

test('guard exercise: notices a guard that does not say who it is', async () => {
  const wrong = await wrongIn(changed("c.set('user', claims.sub)", ''))
  assert.deepEqual(Object.keys(wrong), ['Good', 'Good, with bearer in small letters'])
})

test('guard exercise: shows what the guard has thrown, and in which line of its code', async () => {
  const wrong = await wrongIn("async function guard() { throw 'a string' }")
  assert.equal(wrong.Good, 'replied 500, since the guard threw “a string”')
  const missing = await wrongIn('const guard = 1')
  assert.equal(missing.Good, 'failed with “there is no function guard”')
  const outcome = { status: 500, authenticate: null, body: '', ran: false }
  const failure = { name: 'TypeError', message: 'wrong', lines: [1, 12, 14] }
  const lineOf = (line: number | undefined) => (line !== undefined && line > 10 ? line - 10 : undefined)
  const { words } = judgeGuard(cases[0] as GuardCase, { ...outcome, failure }, lineOf)
  assert.equal(words, 'replied 500, since the guard threw “wrong” (line 2)')
})
