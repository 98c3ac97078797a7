import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFailure } from '../src/learn/exercise/failure.ts'
import { findPieces } from '../src/learn/exercise/highlight.ts'
import { lineOfCode } from '../src/learn/exercise/sandbox.ts'
import { VERIFIER_SOLUTION } from '../src/learn/exercise/verifier-code.ts'

const coloured = (code: string) => findPieces(code).map(({ kind, start, end }) => [kind, code.slice(start, end)])

test('editor: comments, strings, keywords and numbers are coloured', () => {
  assert.deepEqual(coloured(`const a = 'if' // let 5\nreturn awaited(\`x\`, "y", 1000) /* 7 */`), [
    ['keyword', 'const'],
    ['string', "'if'"],
    ['comment', '// let 5'],
    ['keyword', 'return'],
    ['string', '`x`'],
    ['string', '"y"'],
    ['number', '1000'],
    ['comment', '/* 7 */'],
  ])
})

test('editor: an escaped quote does not end a string, and an open string does not colour the rest', () => {
  assert.deepEqual(coloured(`'it\\'s' a`), [['string', `'it\\'s'`]])
  assert.deepEqual(coloured(`'open\nlet b`), [['keyword', 'let']])
})

test('editor: the pieces are in order and do not overlap', () => {
  let before = 0
  const pieces = findPieces(VERIFIER_SOLUTION)
  assert.ok(pieces.length > 30)
  for (const { start, end } of pieces) {
    assert.ok(start >= before && end > start)
    before = end
  }
})

test('sandbox: a line of the script is a line of the code after the script before it', () => {
  assert.equal(lineOfCode('one\ntwo', 3), 1)
  assert.equal(lineOfCode('one\ntwo', 2), undefined)
  assert.equal(lineOfCode('one', undefined), undefined)
})

test('sandbox: a failure has the lines of its stack, and need not be an error', () => {
  const failure = describeFailure(new TypeError('wrong'))
  assert.deepEqual([failure.name, failure.message], ['TypeError', 'wrong'])
  const line = readLine()
  assert.equal(describeFailure(new Error()).lines[0], line + 1)
  assert.deepEqual(describeFailure('text'), { name: 'Error', message: 'text', lines: [] })
})

function readLine(): number {
  return describeFailure(new Error()).lines[1] as number
}
