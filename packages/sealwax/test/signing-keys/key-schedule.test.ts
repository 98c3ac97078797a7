import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SigningKeyRow } from '../../src/signing-keys/contract.ts'
import { createSchedule, LEAD, nextChange, nextSigning, signerAt } from '../../src/signing-keys/schedule.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../server.ts'

const T0 = Date.UTC(2026, 0, 1)

function key(sequence: number, signs_from: number, changed: Partial<SigningKeyRow> = {}): SigningKeyRow {
  return {
    ...{ sequence, kid: `k${sequence}`, alg: 'ES256', public_jwk: null, private_jwk: new Uint8Array() },
    ...{
      created_at: signs_from,
      signs_from,
      revoked_at: null,
      access_ttl: 15 * MINUTE,
      announced: 'published',
      ...changed,
    },
  }
}

/** `tendKeys`, `rotateKeys` and `revokeKey` in memory. */
function installation(accessTtl: number, keyPeriod: number) {
  let rows: SigningKeyRow[] = []
  const plan = { alg: 'ES256' as 'ES256' | 'HS256' | 'EdDSA', keyPeriod, accessTtl }
  let sequence = 0
  return {
    plan,
    get rows() {
      return rows
    },
    tend(now: number) {
      for (let made = 0; made < 16; made += 1) {
        const at = nextSigning(rows, now, plan)
        if (at === undefined) break
        sequence += 1
        rows.push(key(sequence, at, { created_at: now, alg: plan.alg, access_ttl: accessTtl }))
      }
      const retired = createSchedule(rows, now).filter(({ state }) => state === 'retired')
      rows = rows.filter((row) => !retired.some((one) => one.row === row))
    },
    rotate(now: number) {
      const next = createSchedule(rows, now).find(({ state }) => state === 'published')?.row
      rows = rows.map((row) =>
        row === next ? { ...row, signs_from: Math.min(row.signs_from, Math.max(now, row.created_at + LEAD)) } : row,
      )
    },
    revokeSigner(now: number) {
      const signer = signerAt(rows, now)
      const next = createSchedule(rows, now).find(({ state }) => state === 'published')?.row
      rows = rows.map((row) => {
        if (row === signer) return { ...row, revoked_at: now }
        return row === next ? { ...row, signs_from: Math.min(now, row.signs_from) } : row
      })
    },
  }
}

describe('the schedule of keys', () => {
  it('a new installation signs immediately; its standby is published at least LEAD before it signs', () => {
    const { rows, tend } = installation(15 * MINUTE, 30 * DAY)
    tend(T0)
    assert.deepEqual(
      rows.map((row) => row.signs_from - T0),
      [0, 30 * DAY],
    )
    assert.deepEqual(
      createSchedule(rows, T0).map(({ state }) => state),
      ['signing', 'published'],
    )
  })

  it('a key signs until the next one begins, and verifies until an hour after its last token expired', () => {
    const rows = [key(1, T0), key(2, T0 + DAY)]
    const at = (time: number) => createSchedule(rows, time)[0]?.state
    assert.equal(at(T0 + DAY - 1), 'signing')
    assert.equal(at(T0 + DAY), 'retiring')
    assert.equal(at(T0 + DAY + 15 * MINUTE + HOUR), 'retiring')
    assert.equal(at(T0 + DAY + 15 * MINUTE + HOUR + 2 * MINUTE), 'retired')
  })

  it('a key that is overtaken before its signs_from never signs', () => {
    const rows = [key(1, T0), key(2, T0 + DAY, { alg: 'HS256' }), key(3, T0 + HOUR)]
    const signing = [0, HOUR, DAY, 2 * DAY].map((after) => signerAt(rows, T0 + after)?.sequence)
    assert.deepEqual(signing, [1, 3, 3, 3])
  })

  it('the first key signs on a clock that is before its signs_from', () => {
    assert.equal(signerAt([key(1, T0), key(2, T0 + DAY)], T0 - HOUR)?.sequence, 1)
    assert.equal(signerAt([], T0), undefined)
  })

  it('servers with two algorithms do not keep creating keys in turn', () => {
    const rows = [key(1, T0, { alg: 'HS256' }), key(2, T0 + 30 * DAY, { alg: 'HS256' })]
    const plans = { old: { alg: 'HS256', keyPeriod: 30 * DAY }, new: { alg: 'ES256', keyPeriod: 30 * DAY } } as const
    const now = T0 + DAY
    assert.equal(nextSigning(rows, now, plans.old), undefined)
    assert.equal(nextSigning(rows, now, plans.new), now + LEAD)
    rows.push(key(3, now + LEAD))
    assert.equal(nextSigning(rows, now, plans.old), now + LEAD + 30 * DAY)
    rows.push(key(4, now + LEAD + 30 * DAY))
    for (const plan of Object.values(plans)) assert.equal(nextSigning(rows, now + MINUTE, plan), undefined)
  })

  it('the JWK Set changes next when a standby is made or a key retires', () => {
    const rows = [key(1, T0), key(2, T0 + DAY)]
    assert.equal(nextChange(createSchedule(rows, T0), T0), T0 + DAY - LEAD)
    const retires = T0 + DAY + 15 * MINUTE + HOUR + 2 * MINUTE
    rows.push(key(3, T0 + 40 * DAY))
    assert.equal(nextChange(createSchedule(rows, T0 + DAY), T0 + DAY), retires)
  })
})

type Step = { readonly what: 'wait' | 'tend' | 'rotate' | 'revoke' | 'alg'; readonly wait: number }

describe('keys under random operations', () => {
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom<Step['what']>('wait', 'tend', 'tend', 'tend', 'rotate', 'revoke', 'alg'),
      wait: fc.oneof(
        fc.integer({ min: 0, max: 10 * MINUTE }),
        fc.integer({ min: 0, max: DAY }),
        fc.integer({ min: 0, max: 90 * DAY }),
      ),
    }),
    { minLength: 1, maxLength: 40 },
  )
  const lives = fc.record({
    accessTtl: fc.constantFrom(MINUTE, 15 * MINUTE, DAY),
    factor: fc.integer({ min: 1, max: 40 }),
  })

  it('one key always signs, a standby is always published, and no token outlives its key unless it is revoked', () => {
    const checked = { tokens: 0, moments: 0 }
    fc.assert(
      fc.property(lives, steps, ({ accessTtl, factor }, history) => {
        const house = installation(accessTtl, Math.max(accessTtl, 5 * MINUTE) * factor)
        const tokens: { kid: string; expires: number }[] = []
        const emergencies: number[] = []
        let now = T0
        house.tend(now)
        for (const { what, wait } of history) {
          now += wait
          if (what === 'rotate') house.rotate(now)
          if (what === 'alg') house.plan.alg = house.plan.alg === 'ES256' ? 'EdDSA' : 'ES256'
          if (what === 'revoke') {
            emergencies.push(now)
            house.revokeSigner(now)
          }
          if (what !== 'wait') house.tend(now)
          const schedule = createSchedule(house.rows, now)
          const signing = schedule.filter(({ state }) => state === 'signing')
          assert.equal(signing.length, 1)
          const signer = signing[0]?.row as SigningKeyRow
          const early = signer.signs_from < signer.created_at + LEAD && signer.sequence > 1
          assert.ok(!early || emergencies.includes(signer.signs_from), `${signer.kid} signs before verifiers know it`)
          if (what !== 'wait') assert.ok(schedule.some(({ state }) => state === 'published'))
          // A process that read the keys a minute ago may sign with this one; a clock may be an
          // hour off.
          tokens.push({ kid: signer.kid, expires: now + MINUTE + HOUR + accessTtl })
          for (const { kid, expires } of tokens) {
            if (expires <= now) continue
            const known = schedule.find(({ row }) => row.kid === kid)
            assert.ok(known !== undefined && known.state !== 'retired', `${kid} is gone before its last token expired`)
            checked.tokens += 1
          }
          checked.moments += 1
        }
      }),
      { numRuns: 1000, seed: 5 },
    )
    assert.ok(checked.moments > 4000 && checked.tokens > 4000, JSON.stringify(checked))
  })

  it('a key is published at least LEAD before it signs, however short keyPeriod is', () => {
    const house = installation(SECOND, 5 * MINUTE)
    const publishedAt = new Map<string, number>()
    for (let now = T0; now < T0 + 5 * HOUR; now += MINUTE) {
      house.tend(now)
      for (const { kid } of house.rows) if (!publishedAt.has(kid)) publishedAt.set(kid, now)
      const signer = signerAt(house.rows, now) as SigningKeyRow
      if (signer.sequence > 1) assert.ok(now - (publishedAt.get(signer.kid) ?? now) >= LEAD, signer.kid)
    }
    assert.ok(publishedAt.size > 50)
    assert.ok(house.rows.length < 25, String(house.rows.length))
  })
})
