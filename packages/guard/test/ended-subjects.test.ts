import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRevocationList, type RevocableToken, type Revocation, subjectKey } from '../src/index.ts'

const NOW = 1_800_000_000
const until = NOW + 900
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

function sub(below: number, except?: string): Revocation {
  return { kind: 'sub', subject, below, ...(except !== undefined && { except }), until }
}

test('ended subjects: tokens with a lower ver, or none, are revoked (not stale), for that user of that issuer only', () => {
  const { list } = listAt(NOW)
  list.add(sub(7))
  for (const ver of [6, undefined, '7', null, -Infinity, Number.NaN]) {
    assert.equal(list.check(token({ sid: 's-1', ver })), 'token_revoked', String(ver))
  }
  for (const ver of [7, 8]) assert.equal(list.check(token({ sid: 's-1', ver })), undefined)
  assert.equal(list.check(token({ sub: 'bob' })), undefined)
  assert.equal(list.check(token({ iss: 'https://other.example.com' })), undefined)
  assert.equal(list.size, 1)
})

test('ended subjects: the tokens of the excepted session are accepted with any ver, tokens without a session are not', () => {
  const { list } = listAt(NOW)
  list.add(sub(7, 's-1'))
  for (const ver of [1, undefined, 7]) assert.equal(list.check(token({ sid: 's-1', ver })), undefined)
  assert.equal(list.check(token({ sid: 's-2', ver: 6 })), 'token_revoked')
  assert.equal(list.check(token({})), 'token_revoked')
})

test('ended subjects: token_revoked takes precedence over token_stale; the excepted session may still be stale or ended by another entry', () => {
  const { list } = listAt(NOW)
  list.add({ kind: 'ver', subject, ver: 9, until })
  list.add({ kind: 'kid', kid: 'key-2', until })
  list.add(sub(7, 's-1'))
  assert.equal(list.check(token({ sid: 's-2', ver: 6 })), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2', ver: 6 }, 'key-2')), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2', ver: 8 })), 'token_stale')
  assert.equal(list.check(token({ sid: 's-1', ver: 6 })), 'token_stale')
  assert.equal(list.check(token({ sid: 's-1', ver: 9 })), undefined)
  list.add({ kind: 'sid', sid: 's-1', until })
  assert.equal(list.check(token({ sid: 's-1', ver: 9 })), 'token_revoked')
})

test('ended subjects: a second entry ends the session that the first excepted, unless it excepts it too', () => {
  const { list } = listAt(NOW)
  list.add(sub(5, 's-1'))
  list.add(sub(7, 's-1'))
  assert.equal(list.check(token({ sid: 's-1', ver: 1 })), undefined)
  list.add(sub(9, 's-2'))
  assert.equal(list.check(token({ sid: 's-1', ver: 1 })), 'token_revoked')
  assert.equal(list.check(token({ sid: 's-2', ver: 7 })), undefined)
})

test('attack: a session that was ended is not accepted again because of an entry that excepts it', () => {
  for (const entries of [
    [sub(5), sub(7, 's-1')],
    [sub(7, 's-1'), sub(5)],
    [sub(7, 's-1'), sub(5, 's-2')],
    [sub(7, 's-1'), sub(7, 's-2')],
    [sub(7, 's-1'), sub(7)],
    [sub(7), sub(7, 's-1')],
    [sub(3, 's-1'), sub(5, 's-2'), sub(7, 's-1')],
  ]) {
    const { list } = listAt(NOW)
    for (const entry of [...entries, ...entries]) list.add(entry)
    assert.equal(list.check(token({ sid: 's-1', ver: 4 })), 'token_revoked', JSON.stringify(entries))
  }
})

test('ended subjects: a token is refused exactly when one of the entries refuses it, in any order', () => {
  let random = 7
  const next = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return (random >>> 8) % below
  }
  const sessions = [undefined, 's-1', 's-2', 's-3']
  for (let round = 0; round < 5000; round++) {
    const { list } = listAt(NOW)
    const entries = Array.from({ length: 1 + next(6) }, () => ({ below: 1 + next(6), except: sessions[next(4)] }))
    for (const { below, except } of entries) list.add(sub(below, except))
    for (const sid of sessions) {
      for (const ver of [undefined, 0, 1, 2, 3, 4, 5, 6]) {
        const refused = entries.some(
          ({ below, except }) => (ver ?? -1) < below && (except === undefined || except !== sid),
        )
        const expected = refused ? 'token_revoked' : undefined
        assert.equal(list.check(token({ sid, ver })), expected, JSON.stringify({ entries, sid, ver }))
      }
    }
  }
})

test('ended subjects: an entry applies until its time; its exception is removed with it', () => {
  const { list, moveTo } = listAt(NOW)
  list.add(sub(7, 's-1'))
  moveTo(until - 0.001)
  assert.equal(list.check(token({ sid: 's-2', ver: 6 })), 'token_revoked')
  moveTo(until)
  assert.equal(list.check(token({ sid: 's-2', ver: 6 })), undefined)
  assert.equal(list.size, 0)
  list.add({ kind: 'sub', subject, below: 7, until: until + 900 })
  assert.equal(list.check(token({ sid: 's-1', ver: 6 })), 'token_revoked')
})

test('ended subjects: exceptions of expired entries are removed, and those of live ones are kept', () => {
  const { list, moveTo } = listAt(NOW)
  const keyOf = (i: number) => subjectKey(alice.iss, `user-${i}`)
  list.add(sub(7, 's-1'))
  for (let i = 0; i < 5000; i++) {
    moveTo(NOW + i / 100)
    list.add({ kind: 'sub', subject: keyOf(i), below: 7, except: 's-1', until: NOW + i / 100 + 1 })
  }
  assert.equal(list.check(token({ sid: 's-1', ver: 6 })), undefined)
  assert.equal(list.check(token({ sid: 's-2', ver: 6 })), 'token_revoked')
  assert.equal(list.check(token({ sub: 'user-4999', sid: 's-1', ver: 6 })), undefined)
  assert.ok(list.size < 250, String(list.size))
})

test('ended subjects: refuses entries of another shape or an unknown kind', () => {
  const { list } = listAt(NOW)
  const wrong: unknown[] = [
    { kind: 'sub', subject: 'alice', below: 1, until },
    { kind: 'sub', subject: [subject], below: 1, until },
    { kind: 'sub', below: 1, until },
    { kind: 'sub', subject, until },
    { kind: 'sub', subject, below: '1', until },
    { kind: 'sub', subject, below: Number.POSITIVE_INFINITY, until },
    { kind: 'sub', subject, below: 1, except: '', until },
    { kind: 'sub', subject, below: 1, except: null, until },
    { kind: 'sub', subject, below: 1, except: ['s-1'], until },
    { kind: 'aud', aud: 'api', until },
  ]
  for (const entry of wrong) assert.throws(() => list.add(entry as Revocation), TypeError, JSON.stringify(entry))
  assert.equal(list.size, 0)
})
