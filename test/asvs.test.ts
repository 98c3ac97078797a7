import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

test('docs: every test that asvs.md names exists', () => {
  const page = readFileSync(join(root, 'docs/asvs.md'), 'utf8')
  const named = [...page.matchAll(/`([\w/-]+\.test\.ts)`: (.+?) \|/g)].map(([, file, name]) => [file, name] as const)
  assert.ok(named.length >= 25)
  const missing = named.filter(([file, name]) => {
    const source = readFileSync(join(root, 'packages/sealwax/test', file as string), 'utf8')
    return !source.includes(`'${name}'`)
  })
  assert.deepEqual(missing, [])
})
