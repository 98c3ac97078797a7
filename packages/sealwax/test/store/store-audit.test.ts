import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NOW, STORES } from '../stores.ts'

const event = (subject: string | null, ip = '192.0.2.7') => ({
  ...{ time: NOW, type: 'x', subject, session_id: null, ip, user_agent: 'é', data: { a: [1] } },
})

for (const [name, open] of Object.entries(STORES)) {
  describe(`counted audit rows: ${name}`, () => {
    it('the first event creates the row, later ones only raise its count', async () => {
      await using opened = await open()
      const { store } = opened
      const count = (bucket: string, subject: string | null, times: number) =>
        store.transaction((facts) => facts.audit.count(bucket, event(subject), times))
      const first = await count('a', 'ann', 1)
      assert.deepEqual(first, { id: first.id, subject: 'ann', ip: '192.0.2.7', count: 1, repeats: null })
      assert.deepEqual(await count('a', 'bob', 3), { ...first, count: 4 })
      assert.equal((await count('b', null, 1)).count, 1)
      const [second, row] = await store.committed.audit.list({ limit: 10 })
      assert.deepEqual(row, { id: first.id, ...event('ann'), count: 4, repeats: null })
      assert.deepEqual([second?.subject, second?.count], [null, 1])
    })

    it('summarise replaces the subject, and the row is found by the new subject', async () => {
      await using opened = await open()
      const { store } = opened
      const repeats = {
        last: { time: NOW + 1, ip: '192.0.2.8' },
        subjects: { ann: 1, bob: 3 },
        ips: { '192.0.2.8': 4 },
      }
      await store.transaction(async ({ audit }) => {
        const { id } = await audit.count('a', event('ann'), 4)
        await audit.summarise(id, { subject: 'bob', repeats })
      })
      const list = (subject: string) => store.committed.audit.list({ limit: 10, subject })
      assert.deepEqual([await list('ann'), (await list('bob'))[0]?.repeats], [[], repeats])
    })

    it('fifty concurrent transactions in two stores lose no count; one that throws counts nothing', async () => {
      await using opened = await open()
      const stores = [opened.store, await opened.another()]
      const settled = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) =>
          stores[i % 2]?.transaction(async ({ audit }) => {
            const { id, count } = await audit.count('hot', event('ann'), 1)
            const last = { time: NOW + count }
            await audit.summarise(id, { subject: 'ann', repeats: { last, subjects: {}, ips: {} } })
            if (i === 20) throw new Error('undone')
          }),
        ),
      )
      assert.deepEqual(
        settled.flatMap((each, i) => (each.status === 'rejected' ? [i] : [])),
        [20],
      )
      const rows = await opened.store.committed.audit.list({ limit: 10 })
      assert.deepEqual(
        rows.map(({ count, repeats }) => [count, repeats?.last.time]),
        [[49, NOW + 49]],
      )
    })

    it('appended events stay separate rows', async () => {
      await using opened = await open()
      const { store } = opened
      await store.transaction(async ({ audit }) => {
        for (let i = 0; i < 3; i += 1) await audit.append(event('ann'))
      })
      assert.equal((await store.committed.audit.list({ limit: 10 })).length, 3)
    })
  })
}
