import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRevocationList, type RevocableToken, type Revocation, subjectKey } from '../src/index.ts'

const NOW = 1_800_000_000
const alice = { iss: 'https://auth.example.com', sub: 'alice' }
const subject = subjectKey(alice.iss, alice.sub)

function token(claims: Record<string, unknown>, kid = 'key-1'): RevocableToken {
  return { payload: { ...alice, ...claims }, header: { alg: 'ES256', kid } }
}

/** A list, and a function that moves its clock, in seconds. */
function listAt(seconds: number) {
  let time = seconds
  const list = createRevocationList({ now: () => time * 1000 })
  return { list, moveTo: (to: number) => (time = to) }
}

test('revocations: an empty list accepts every token', () => {
  const { list } = listAt(NOW)
  assert.equal(list.check(token({ sid: 's-1', ver: 1 })), undefined)
  assert.equal(list.size, 0)
})

test('revocations: the tokens of an ended session are revoked, those of other sessions are not', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'sid', sid: 's-1', until: NOW + 900 })
  assert.equal(list.check(token({ sid: 's-1' })), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2' })), undefined)
  assert.equal(list.check(token({})), undefined)
})

test('revocations: a raised ver makes lower and absent ones stale, for that user of that issuer only', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'ver', subject, ver: 3, until: NOW + 900 })
  assert.equal(list.check(token({ ver: 2 })), 'token_stale')
  assert.equal(list.check(token({})), 'token_stale')
  assert.equal(list.check(token({ ver: '3' })), 'token_stale')
  assert.equal(list.check(token({ ver: Number.NaN })), 'token_stale')
  assert.equal(list.check(token({ ver: 3 })), undefined)
  assert.equal(list.check(token({ ver: 4 })), undefined)
  assert.equal(list.check(token({ sub: 'bob', ver: 1 })), undefined)
  assert.equal(list.check(token({ iss: 'https://other.example.com', ver: 1 })), undefined)
})

test('revocations: tokens of a revoked key are stale', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'kid', kid: 'key-1', until: NOW + 900 })
  assert.equal(list.check(token({})), 'token_stale')
  assert.equal(list.check(token({}, 'key-2')), undefined)
})

test('revocations: a token is stale by its jti, alone', () => {
  const { list, moveTo } = listAt(NOW)
  list.add({ kind: 'jti', jti: 't-1', until: NOW + 900 })
  assert.equal(list.size, 1)
  assert.equal(list.check(token({ jti: 't-1' })), 'token_stale')
  assert.equal(list.check(token({ jti: 't-2' })), undefined)
  assert.equal(list.check(token({})), undefined)
  moveTo(NOW + 900)
  assert.equal(list.check(token({ jti: 't-1' })), undefined)
})

test('revocations: token_revoked takes precedence over token_stale, because a refresh would fail', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'kid', kid: 'key-1', until: NOW + 900 })
  list.add({ kind: 'ver', subject, ver: 3, until: NOW + 900 })
  list.add({ kind: 'sid', sid: 's-1', until: NOW + 900 })
  assert.equal(list.check(token({ sid: 's-1', ver: 1 })), 'token_revoked')
})

test('revocations: an entry applies exactly until its time', () => {
  const { list, moveTo } = listAt(NOW)
  list.add({ kind: 'sid', sid: 's-1', until: NOW + 900 })
  list.add({ kind: 'kid', kid: 'key-1', until: NOW + 901 })
  assert.equal(list.size, 2)
  moveTo(NOW + 899.999)
  assert.equal(list.check(token({ sid: 's-1' }, 'key-2')), 'token_revoked')
  moveTo(NOW + 900)
  assert.equal(list.check(token({ sid: 's-1' }, 'key-2')), undefined)
  assert.equal(list.size, 1)
  moveTo(NOW + 901)
  assert.equal(list.check(token({})), undefined)
  assert.equal(list.size, 0)
})

test('revocations: adding again never shortens or weakens an entry', () => {
  const { list, moveTo } = listAt(NOW)
  list.add({ kind: 'sid', sid: 's-1', until: NOW + 900 })
  list.add({ kind: 'sid', sid: 's-1', until: NOW + 10 })
  list.add({ kind: 'ver', subject, ver: 5, until: NOW + 10 })
  list.add({ kind: 'ver', subject, ver: 4, until: NOW + 900 })
  assert.equal(list.size, 2)
  moveTo(NOW + 500)
  assert.equal(list.check(token({ sid: 's-1' })), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2', ver: 4 })), 'token_stale')
  assert.equal(list.check(token({ sid: 's-2', ver: 5 })), undefined)
})

test('revocations: an entry whose time has passed is not added', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'sid', sid: 's-1', until: NOW })
  list.add({ kind: 'sid', sid: 's-2', until: 0 })
  assert.equal(list.size, 0)
})

test('revocations: expired entries do not accumulate without checks', () => {
  const { list, moveTo } = listAt(NOW)
  let sweeps = 0
  const counted = createRevocationList({
    now: () => {
      sweeps++
      return NOW * 1000
    },
  })
  for (let i = 0; i < 50_000; i++) counted.add({ kind: 'sid', sid: `s-${i}`, until: NOW + 1 })
  assert.ok(sweeps < 50_100, 'a list that only grows is swept rarely')
  for (let i = 0; i < 20_000; i++) {
    moveTo(NOW + i)
    list.add({ kind: 'sid', sid: `s-${i}`, until: NOW + i + 10 })
  }
  assert.equal(list.size, 10)
})

test('revocations: the default clock is the system clock', () => {
  const list = createRevocationList()
  list.add({ kind: 'sid', sid: 's-1', until: Date.now() / 1000 + 60 })
  list.add({ kind: 'sid', sid: 's-2', until: Date.now() / 1000 - 60 })
  assert.equal(list.check(token({ sid: 's-1' })), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2' })), undefined)
})

test('revocations: no entry is dropped when the wall clock jumps ahead', (t) => {
  const list = createRevocationList()
  list.add({ kind: 'sid', sid: 's-1', until: Date.now() / 1000 + 60 })
  t.mock.method(Date, 'now', () => NOW * 1000 + 1e12)
  assert.equal(list.check(token({ sid: 's-1' })), 'token_revoked')
  assert.equal(list.size, 1)
})

test('revocations: refuses entries of another shape, and milliseconds', () => {
  const { list } = listAt(NOW)
  const until = NOW + 900
  const wrong: unknown[] = [
    { kind: 'sid', sid: '', until },
    { kind: 'sid', sid: 7, until },
    { kind: 'sid', until },
    { kind: 'kid', until },
    { kind: 'jti', until },
    { kind: 'jti', jti: '', until },
    { kind: 'ver', subject: 'alice', ver: 1, until },
    { kind: 'ver', subject, ver: '1', until },
    { kind: 'ver', subject, ver: Number.NaN, until },
    { kind: 'sub', sub: 'alice', until },
    { kind: 'sid', sid: 's-1' },
    { kind: 'sid', sid: 's-1', until: Number.NaN },
    { kind: 'sid', sid: 's-1', until: Number.POSITIVE_INFINITY },
    { kind: 'sid', sid: 's-1', until: -1 },
    { kind: 'sid', sid: 's-1', until: `${until}` },
    { kind: 'sid', sid: 's-1', until: until * 1000 },
  ]
  for (const entry of wrong) assert.throws(() => list.add(entry as Revocation), TypeError, JSON.stringify(entry))
  assert.equal(list.size, 0)
})

test('revocations: the subject key is 16 bytes of SHA-256(iss ‖ 0 ‖ sub), and the zero separates the two', () => {
  const bytes = Buffer.concat([Buffer.from('https://a.example'), Buffer.from([0]), Buffer.from('zoë')])
  const expected = createHash('sha256').update(bytes).digest().subarray(0, 16)
  assert.deepEqual(Buffer.from(subjectKey('https://a.example', 'zoë'), 'base64url'), expected)
  assert.notEqual(subjectKey('ab', 'c'), subjectKey('a', 'bc'))
})

test('revocations: names of any shape are distinguished: 128 bits in base64url, and all others', () => {
  const { list } = listAt(NOW)
  const name = 'AAAAAAAAAAAAAAAAAAAAAA' // 128 bits, all zero
  const alike = [
    'AAAAAAAAAAAAAAAAAAAAAB', // the same bits, not canonical
    'AAAAAAAAAAAAAAAAAAAAAQ', // the last bits differ
    'BAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAABAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAA=AAAAAAAAAAA',
    'AAAAAAAAAAĀAAAAAAAAAAA',
    'AAAAAAAAAA\u0000AAAAAAAAAAA',
    '0b8f4f0e-9a60-4c2c-8e55-1f2a3b4c5d6e',
  ]
  list.add({ kind: 'sid', sid: name, until: NOW + 900 })
  assert.equal(list.check(token({ sid: name })), 'token_revoked')
  for (const sid of alike) assert.equal(list.check(token({ sid })), undefined, sid)
  for (const sid of alike) {
    list.add({ kind: 'sid', sid, until: NOW + 900 })
    assert.equal(list.check(token({ sid })), 'token_revoked', sid)
  }
  assert.equal(list.size, alike.length + 1)
})

test('revocations: behave like a plain Map for random entries and times', () => {
  const { list, moveTo } = listAt(NOW)
  const model = new Map<string, number>()
  let random = 7
  const next = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return random % below
  }
  const nameOf = (i: number) => createHash('sha256').update(String(i)).digest().subarray(0, 16).toString('base64url')
  let time = NOW
  for (let step = 0; step < 20_000; step++) {
    const sid = nameOf(next(4000))
    const until = time + 1 + next(600)
    list.add({ kind: 'sid', sid, until })
    model.set(sid, Math.max(until, model.get(sid) ?? 0))
    if (step % 50 === 0) {
      time += next(20)
      moveTo(time)
    }
    const asked = nameOf(next(4000))
    const expected = (model.get(asked) ?? 0) > time ? 'token_revoked' : undefined
    assert.equal(list.check(token({ sid: asked })), expected, `step ${step}`)
  }
  assert.equal(list.size, [...model.values()].filter((until) => until > time).length)
})

test('revocations: 200 000 of them take little memory, and a check takes little time', async () => {
  const { list } = listAt(NOW)
  const nameOf = (i: number) => Buffer.from(Uint32Array.of(i, ~i, i * 7, i * 13).buffer).toString('base64url')
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 200_000; i++) list.add({ kind: 'sid', sid: nameOf(i), until: NOW + 900 })
  assert.equal(list.size, 200_000)
  let taken = Number.POSITIVE_INFINITY
  // Memory that the list has released is freed later, by another thread.
  for (let i = 0; i < 100 && taken >= 200_000 * 64; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
    taken = process.memoryUsage().arrayBuffers - before
  }
  assert.ok(taken > 0 && taken < 200_000 * 64, `${taken} octets, at most 64 each`)
  const tokens = Array.from({ length: 1000 }, (_, i) => token({ sid: nameOf(i * 400) }))
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 20; round++) {
    const start = performance.now()
    const revoked = tokens.filter((one) => list.check(one) === 'token_revoked').length
    least = Math.min(least, performance.now() - start)
    assert.equal(revoked, 500)
  }
  assert.ok(least < 20, `${least} µs per check`) // the goal is 1; this detects a table that has degenerated into a list
})

test('revocations: a listener is called for new entries while subscribed, and its errors are ignored', () => {
  const { list } = listAt(NOW)
  const heard: Revocation[] = []
  const entry = (sid: string, until = NOW + 900): Revocation => ({ kind: 'sid', sid, until })
  const leaveFaulty = list.subscribe(() => {
    throw new Error('the listener is broken')
  })
  const listener = (heardEntry: Revocation) => {
    assert.equal(list.check(token({ sid: 's-1' })), 'token_revoked', 'the entry already applies')
    heard.push(heardEntry)
  }
  const leave = list.subscribe(listener)
  const leaveTwin = list.subscribe(listener)
  list.add(entry('s-1'))
  leaveTwin()
  list.add(entry('s-2'))
  list.add(entry('s-3', NOW - 1))
  leave()
  leave()
  leaveFaulty()
  list.add(entry('s-4'))
  assert.deepEqual(heard, [entry('s-1'), entry('s-1'), entry('s-2')])
})
