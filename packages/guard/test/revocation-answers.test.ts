import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { importKey } from '@sealwax/jwt'
import { GuardError, type RevocableToken, type RevocationCheck } from '../src/index.ts'
import { authenticateSocket, type GuardedSocket } from '../src/sockets.ts'
import { bearing, guardWith, ISSUED, secret, strangerKey, tokenFor } from './tokens.ts'

const asking = (check: unknown, more: object = {}) =>
  guardWith({ revocation: { check, ...more } as unknown as RevocationCheck })

async function outcomeOf(check: unknown): Promise<string> {
  try {
    return (await asking(check).authenticate(bearing(tokenFor()))).subject
  } catch (error) {
    return error instanceof GuardError ? error.code : String(error)
  }
}

const answers: readonly [answer: unknown, outcome: string][] = [
  [undefined, 'user-123'],
  [false, 'user-123'],
  [true, 'token_revoked'],
  ['token_revoked', 'token_revoked'],
  ['token_stale', 'token_stale'],
  ['revocation_unavailable', 'revocation_unavailable'],
]

test('revocation.check: may return true, false or a verdict, or a promise of it', async () => {
  for (const [answer, outcome] of answers) {
    assert.equal(await outcomeOf(() => answer), outcome)
    assert.equal(await outcomeOf(async () => answer), outcome)
    // A thenable of a query builder is not a Promise.
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    assert.equal(await outcomeOf(() => ({ then: (done: (value: unknown) => void) => done(answer) })), outcome)
  }
  assert.ok(!(asking(() => false).authenticate(bearing(tokenFor())) instanceof Promise))
})

test('revocation.check: any other result throws at the first token, with a message about what to return', async () => {
  for (const answer of [null, 0, 1, '', 'revoked', 'OK', {}, [], () => false]) {
    for (const check of [() => answer, async () => answer]) {
      const outcome = await outcomeOf(check)
      assert.match(outcome, /^TypeError: createGuard: revocation\.check must return true if the token is revoked/)
      assert.match(outcome, /or a promise of that \(got (null|\d|an? [\w ]+)\)$/)
    }
  }
})

test('revocation.check: a failed look-up causes 503, never 401 or an accepted request, and its error is not sent', async () => {
  for (const check of [
    () => Promise.reject(new Error('redis://:secret@cache is down')),
    () => {
      throw new Error('redis://:secret@cache is down')
    },
  ]) {
    const refusal = async () => asking(check).authenticate(bearing(tokenFor()))
    await assert.rejects(refusal, (error: GuardError) => {
      assert.equal(error.status, 503)
      assert.match(String(error.cause), /is down/)
      return !JSON.stringify([error.problem(), error.headers]).includes('secret')
    })
  }
})

test('revocation.check: is called only for verified tokens, so invalid ones cause no look-up', async () => {
  let asked = 0
  const guard = asking(async () => {
    asked++
    return false
  })
  for (const token of [
    'abc',
    tokenFor({}, {}, strangerKey),
    tokenFor({}, { expiresIn: 60, currentDate: new Date(0) }),
  ]) {
    await assert.rejects(async () => guard.authenticate(bearing(token)))
  }
  assert.equal(asked, 0)
})

test('revocation.check: many tokens with unknown keys cause no look-ups, and a check in memory may refuse keys', async () => {
  let asked = 0
  const guard = asking(async ({ payload }: RevocableToken) => {
    asked++
    return payload.sid === (payload.sub as string).length // there is no sub
  })
  const invented = (i: number) => tokenFor({}, {}, importKey(secret(9, 32), { alg: 'HS256', kid: `key-${i}` }))
  for (let i = 2; i < 50; i++) {
    await assert.rejects(async () => guard.authenticate(bearing(invented(i))), { code: 'token_key_unknown' })
  }
  assert.ok(asked <= 1, `${asked}`)
  const memory = asking(({ header }: RevocableToken) => (header.kid === 'key-2' ? 'token_stale' : false))
  await assert.rejects(async () => memory.authenticate(bearing(invented(2))), { code: 'token_stale' })
  await assert.rejects(async () => memory.authenticate(bearing(invented(3))), { code: 'token_key_unknown' })
})

test('revocation.check: a result is reused for cacheFor, for that token only', async () => {
  const clock = { seconds: ISSUED }
  const asked: unknown[] = []
  let answer: unknown = false
  const check = async ({ payload }: RevocableToken) => {
    asked.push(payload.jti)
    await sleep(1)
    return answer
  }
  const revocation = { check, cacheFor: '30s' } as RevocationCheck
  const guard = guardWith({ revocation, now: () => clock.seconds * 1000 })
  const [one, two] = [tokenFor({ jti: 'one' }), tokenFor({ jti: 'two' })]
  await Promise.all(Array.from({ length: 20 }, () => guard.authenticate(bearing(one))))
  await guard.authenticate(bearing(two))
  assert.deepEqual(asked.splice(0), ['one', 'two'], 'simultaneous requests share a look-up')
  answer = true
  clock.seconds += 29
  assert.equal((await guard.authenticate(bearing(one))).subject, 'user-123')
  assert.deepEqual(asked, [])
  clock.seconds += 1
  await assert.rejects(async () => guard.authenticate(bearing(one)), { code: 'token_revoked' })
  assert.deepEqual(asked, ['one'])
  asked.length = 0
  answer = false
  clock.seconds -= 31
  assert.equal(
    (await guard.authenticate(bearing(one))).subject,
    'user-123',
    'no result is kept if the clock is set back',
  )
  assert.deepEqual(asked, ['one'])
})

test('revocation.check: a failure is not kept, nor is revocation_unavailable', async () => {
  let answers = [() => Promise.reject(new Error('down')), async () => 'revocation_unavailable', async () => false]
  const guard = asking(() => answers.shift()?.(), { cacheFor: 60 })
  const token = tokenFor()
  for (let i = 0; i < 2; i++) {
    await assert.rejects(async () => guard.authenticate(bearing(token)), { code: 'revocation_unavailable' })
  }
  assert.equal((await guard.authenticate(bearing(token))).subject, 'user-123')
  answers = []
  assert.equal((await guard.authenticate(bearing(token))).subject, 'user-123')
})

test('revocation.check: cacheFor is a duration from a second to a day', () => {
  for (const cacheFor of [0, '2d', 0.5, 'soon', null, -1]) {
    assert.throws(() => asking(() => false, { cacheFor }), /revocation\.cacheFor must be/)
  }
  assert.throws(() => asking('no function'), /revocation\.check must be a function/)
})

test('revocation.check: a socket is closed when a look-up returns that its token is revoked, and not when it fails', async () => {
  const answers = [async () => false, () => Promise.reject(new Error('down')), async () => true]
  const guard = asking(() => (answers.length > 1 ? answers.shift() : answers[0])?.())
  const { socket, closed } = fakeSocket()
  const authenticated = authenticateSocket(guard, socket)
  socket.dispatchEvent(Object.assign(new Event('message'), { data: message(tokenFor()) }))
  assert.equal((await authenticated)?.subject, 'user-123')
  await sleep(100)
  assert.deepEqual(closed, [], 'a failure does not mean that the token is revoked')
  for (let i = 0; i < 40 && closed.length === 0; i++) await sleep(50)
  assert.deepEqual(closed, [[4401, 'token_revoked']])
})

const message = (token: string) => JSON.stringify({ type: 'authenticate', token })

/** A socket without a network: an EventTarget that records how it was closed. */
function fakeSocket() {
  const closed: unknown[] = []
  const socket = Object.assign(new EventTarget(), { close: (...args: unknown[]) => void closed.push(args) })
  return { socket: socket as EventTarget & GuardedSocket, closed }
}
