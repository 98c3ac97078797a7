import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

test('many services: a role change and a log-out reach three APIs that know only the issuer', async () => {
  const main = join(import.meta.dirname, '../src/main.ts')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--conditions=@sealwax/source', main])
  assert.equal(stderr, '')
  const answers = [...stdout.matchAll(/all answer (.+) after/g)].map((match) => match[1])
  assert.deepEqual(answers, ['200 roles=[]', '401 token_stale', '200 roles=["teacher"]', '401 token_revoked'])
})
