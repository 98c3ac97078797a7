import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unusedExceptions } from '../docs-check/exceptions.ts'
import { checkTypes, fragmentsOf, runFragments } from '../docs-check/fragments.ts'
import { blocksOf, pages } from '../docs-check/pages.ts'

// `npm run docs:check` also types the commands, in empty folders with the packed packages.
describe('docs: the code on each page', () => {
  it('compiles with strict types', async () => assert.deepEqual(await checkTypes(pages), []))

  for (const page of pages.filter((one) => fragmentsOf(one).length > 0)) {
    it(`runs: ${page}`, async () => assert.deepEqual(await runFragments(page), []))
  }

  it('has no exception for a block that is gone', () => {
    assert.deepEqual(unusedExceptions(pages.flatMap(blocksOf)), [])
  })
})
