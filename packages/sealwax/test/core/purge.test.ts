import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { purgeAudit } from '../../src/core/purge.ts'
import type { Store } from '../../src/core/unit-of-work.ts'
import { purgeRevocations } from '../../src/revocations/rules.ts'
import { purgeSessions } from '../../src/sessions/end.ts'
import { purgeSubjectVersions } from '../../src/sessions/subject-versions.ts'
import { NOW, STORES, session } from '../stores.ts'

const RETENTION = 30 * 24 * 60 * 60_000
/** More than two pages. */
const MANY = 250

/**
 * Inserts sessions one millisecond past their retention, half of them ended and half expired, one
 * that ended exactly at the limit, and a live one.
 */
async function fillSessions(store: Store): Promise<void> {
  await store.transaction(async ({ sessions }) => {
    const past = NOW - RETENTION - 1
    for (let i = 0; i < MANY / 2; i += 1) {
      await sessions.insert(session(`ended-${i}`, { ended_at: past }))
      await sessions.insert(session(`expired-${i}`, { absolute_expires_at: past }))
    }
    await sessions.insert(session('lately', { ended_at: NOW - RETENTION }))
    await sessions.insert(session('live'))
  })
}

/** The ids of all sessions, sorted. */
async function sessionsLeft(store: Store): Promise<string[]> {
  const keys = await store.committed.sessions.wrappedBy(Uint8Array.of(1, 2, 3), 2 * MANY)
  return keys.map(({ id }) => id).sort()
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`the hourly purge: ${name}`, () => {
    it('deletes every session that ended or expired over 30 days ago, one page per transaction, and no other', async () => {
      await using opened = await open()
      const { store } = opened
      await fillSessions(store)
      const units: number[] = []
      const counting = {
        ...store,
        async transaction<T>(unit: Parameters<typeof store.transaction<T>>[0]) {
          const left = (await sessionsLeft(store)).length
          const answer = await store.transaction(unit)
          units.push(left - (await sessionsLeft(store)).length)
          return answer
        },
      }
      await purgeSessions({ store: counting, now: () => NOW }, new AbortController().signal)
      assert.deepEqual(await sessionsLeft(store), ['lately', 'live'])
      assert.deepEqual(units, [100, 100, 50, 0])
    })

    it('deletes every expired revocation and the subject versions that belong to them', async () => {
      await using opened = await open()
      const { store } = opened
      const seconds = NOW / 1000
      await store.transaction(async ({ revocations, subjectVersions }) => {
        const entry = { kind: 'sid', ver: null } as const
        for (let i = 0; i < MANY; i += 1) await revocations.append({ ...entry, key: `past-${i}`, until: seconds })
        await revocations.append({ ...entry, key: 'live', until: seconds + 1 })
        for (let i = 0; i < MANY; i += 1) await subjectVersions.set(`past-${i}`, 1, seconds)
        await subjectVersions.set('live', 7, seconds + 1)
      })
      await purgeRevocations({ store, now: () => NOW }, new AbortController().signal)
      await purgeSubjectVersions({ store, now: () => NOW, config: { exchange: null } }, new AbortController().signal)
      const { entries } = await store.committed.revocations.since(undefined, { now: 0, limit: 2 * MANY })
      assert.deepEqual(
        entries.map(({ key }) => key),
        ['live'],
      )
      const versions = await store.transaction(async ({ subjectVersions }) => [
        await subjectVersions.read('past-0'),
        await subjectVersions.read(`past-${MANY - 1}`),
        await subjectVersions.read('live'),
      ])
      assert.deepEqual(versions, [undefined, undefined, 7])
    })

    it('deletes every audit row that is older than auditRetention, and no other', async () => {
      await using opened = await open()
      const { store } = opened
      const row = (time: number, type: string) => ({
        ...{ time, type, subject: null, session_id: null, ip: null, user_agent: null, data: {} },
      })
      await store.transaction(async ({ audit }) => {
        await audit.append(row(NOW, 'kept'))
        for (let i = 0; i < MANY; i += 1) await audit.append(row(NOW - RETENTION - 1 - i, 'past'))
        await audit.count('bucket', row(NOW - RETENTION - 1, 'past'), 7)
        await audit.append(row(NOW - RETENTION, 'kept'))
      })
      const config = { auditRetention: RETENTION }
      await purgeAudit({ store, now: () => NOW, config }, new AbortController().signal)
      const left = await store.committed.audit.list({ limit: 2 * MANY })
      assert.deepEqual(
        left.map(({ type }) => type),
        ['kept', 'kept'],
      )
    })

    it('stops after the current page when the server closes', async () => {
      await using opened = await open()
      const { store } = opened
      await fillSessions(store)
      const closing = new AbortController()
      const purging = purgeSessions({ store, now: () => NOW }, closing.signal)
      closing.abort()
      await purging
      assert.equal((await sessionsLeft(store)).length, MANY + 2 - 100)
    })
  })
}
