import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

test('by hand: prints the three parts, accepts the original token, and refuses a tampered and an expired one', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../token.ts')])
  assert.equal(stderr, '')
  const part = (name: string) => new RegExp(`^${name} +([\\w-]+)$`, 'm').exec(stdout)?.[1] ?? ''
  const decoded = (name: string) => JSON.parse(Buffer.from(part(name), 'base64url').toString())
  assert.deepEqual(decoded('header'), { alg: 'HS256', typ: 'JWT' })
  const { sub, iat, exp } = decoded('payload')
  assert.equal(sub, 'user-123')
  assert.equal(exp - iat, 900)
  assert.equal(Buffer.from(part('signature'), 'base64url').length, 32)
  assert.match(stdout, /^as made +accepted, for user-123$/m)
  assert.match(stdout, /^tampered +refused: the signature does not match$/m)
  assert.match(stdout, /^expired +refused: expired$/m)
  assert.match(stdout, /^Left out: .*Sealwax does these/ms)
})
