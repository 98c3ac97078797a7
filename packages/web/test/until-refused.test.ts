import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchanged } from '../src/http.ts'
import { untilRefused } from '../src/learn/steps/until-refused.ts'

function replies(...statuses: (number | undefined)[]): () => Promise<Exchanged> {
  return async () => {
    const status = statuses.length > 1 ? statuses.shift() : statuses[0]
    const sent = { method: 'GET', path: '/' } as const
    return { sent, received: status === undefined ? undefined : { status, headers: {}, body: undefined, took: 1 } }
  }
}

/** A clock that goes on by 7 ms each time it is read. */
function clock(): () => number {
  let time = 93
  return () => (time += 7)
}

test('until refused: counts what was accepted and measures up to the refusal', async () => {
  const result = await untilRefused(replies(200, 200, 401), 100, clock())
  assert.equal(result?.accepted, 2)
  assert.equal(result?.after, 21)
  assert.equal(result?.exchange.received?.status, 401)
})

test('until refused: a token that is accepted for half a minute gives no result', async () => {
  assert.equal(await untilRefused(replies(200), 100, clock()), undefined)
})

test('until refused: without a reply there is no result', async () => {
  assert.equal(await untilRefused(replies(200, undefined), 100, clock()), undefined)
})
