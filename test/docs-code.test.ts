import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unusedExceptions } from '../docs-check/exceptions.ts'
import { checkCode } from '../docs-check/fragments.ts'
import { blocksOf, pages } from '../docs-check/pages.ts'

// `npm run docs:check` also types the commands, in empty folders with the packed packages.
describe('docs: the code on each page compiles with strict types, and its fragments run', { concurrency: 2 }, () => {
  for (const page of pages) {
    it(page, async () => assert.deepEqual(await checkCode(page), []))
  }

  it('has no exception for a block that is gone', () => {
    assert.deepEqual(unusedExceptions(pages.flatMap(blocksOf)), [])
  })
})
