import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { ATTACKS, QUICK } from '../attack/attacks.ts'
import { createPlace } from '../torture/place.ts'

describe('attacks, in their short version', () => {
  const place = createPlace()
  after(() => place[Symbol.asyncDispose]())

  for (const { name, description, run } of ATTACKS) {
    it(`${name}: ${description}`, async () => {
      const results = await run(place, 'sqlite', QUICK)
      assert.ok(results.length > 0)
      assert.deepEqual(
        results.filter(({ ok }) => !ok),
        [],
      )
    })
  }
})
