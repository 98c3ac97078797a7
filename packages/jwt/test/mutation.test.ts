import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkedFiles, listedEdits, occurrences, throwEdits } from '../mutation/edits.ts'

test('the mutation check: every string that it replaces occurs exactly once, and it covers every file with checks', () => {
  const edits = [...throwEdits(), ...listedEdits]
  assert.deepEqual(
    edits.filter((edit) => occurrences(edit) !== 1 || edit.text === edit.replacement),
    [],
  )
  for (const file of checkedFiles) assert.ok(edits.filter((edit) => edit.file === file).length >= 5, file)
  assert.ok(edits.length > 200, `${edits.length} edits`)
})
