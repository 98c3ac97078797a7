import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url, encodeText } from '../src/token/base64url.ts'
import { encodeEdited, formatJson } from '../src/token/edit.ts'

const decode = (part: string) => new TextDecoder().decode(decodeBase64url(part))

test('edit: JSON is shown in several lines, like JSON.stringify does it', () => {
  const values = [{}, [], { a: [], b: {} }, { a: 1, b: [1, { c: 'x: {y}, "z" \\' }], d: { e: null } }, [[], [[]], 'a']]
  for (const value of values) {
    assert.equal(formatJson(JSON.stringify(value)), JSON.stringify(value, undefined, 2))
    assert.equal(formatJson(JSON.stringify(value, undefined, 7)), JSON.stringify(value, undefined, 2))
  }
})

test('edit: numbers are not rounded, and members that appear twice stay visible', () => {
  assert.equal(formatJson('{"a":12345678901234567890,"a":1.0}'), '{\n  "a": 12345678901234567890,\n  "a": 1.0\n}')
})

test('edit: what is not JSON is shown as it is', () => {
  for (const text of ['', 'hello', '{"a":', '{a:1}']) assert.equal(formatJson(text), text)
})

test('edit: an edit is encoded without white space, and undoing it restores the part', () => {
  for (const text of ['{"sub":"ada","n":1.0}', '{ "sub" : "ada" }', '{"sub":"\\u0061da"}']) {
    const original = { part: encodeText(text), text }
    const shown = formatJson(text)
    const changed = encodeEdited(shown.replace('{', '{"admin": true,'), original)
    assert.notEqual(changed, original.part)
    assert.equal(JSON.parse(decode(changed)).admin, true)
    assert.equal(encodeEdited(shown, original), original.part)
  }
})

test('edit: a change of white space alone does not change compact JSON', () => {
  const text = '{"sub":"a b"}'
  assert.equal(encodeEdited('{ "sub":\n\t"a b" }', { part: encodeText(text), text }), encodeText(text))
})

test('edit: half-typed JSON is encoded as it is', () => {
  const text = '{"sub":"ada"}'
  assert.equal(decode(encodeEdited('{"sub": "ad', { part: encodeText(text), text })), '{"sub": "ad')
})
