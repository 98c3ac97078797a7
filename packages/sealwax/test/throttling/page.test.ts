import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ACTIONS } from '../../src/throttling/counter-names.ts'
import { GROWING, LONGEST_WAIT, STEADY } from '../../src/throttling/limits.ts'
import { MINUTE, SECOND } from '../server.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/throttling.md'), 'utf8')
const row = (name: string) => page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? ''

test('throttling.md: has each action, and the numbers of each counter', () => {
  for (const action of Object.keys(ACTIONS)) assert.notEqual(row(action), '', action)
  const minutes = (milliseconds: number) => milliseconds / MINUTE
  const expected = {
    device: [STEADY.device.burst, `every ${minutes(STEADY.device.every)} minutes`],
    address: [STEADY.address.burst, minutes(STEADY.address.every) === 1 ? 'each minute' : ''],
    network: [STEADY.network.burst, `every ${STEADY.network.every / SECOND} seconds`],
    caller: [
      GROWING.caller.free,
      `${GROWING.caller.first / SECOND} s`,
      `up to ${minutes(GROWING.caller.most)} minutes`,
    ],
    account: [GROWING.account.free, `${GROWING.account.first / SECOND} s`, `up to ${GROWING.account.most / SECOND} s`],
  }
  for (const [kind, numbers] of Object.entries(expected)) {
    for (const number of numbers) assert.match(row(kind), new RegExp(`\\b${number}\\b`), `${kind}: ${number}`)
  }
  assert.ok(page.includes(`up to ${minutes(LONGEST_WAIT)} minutes ahead`))
})
