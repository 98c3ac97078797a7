import { encodeText } from './base64url.ts'
import { parseJson } from './json.ts'

/** A string of JSON, white space, or any other character. */
const PIECES = /"(?:[^"\\]|\\.)*"|\s+|[\s\S]/g

/**
 * Returns JSON in several lines; another text unchanged. Only white space differs, so numbers are
 * not rounded and members that appear twice stay visible.
 */
export function formatJson(text: string): string {
  if (parseJson(text) === undefined) return text
  let depth = 0
  let before = ''
  const line = () => `\n${'  '.repeat(depth)}`
  return withoutSpace(text).reduce((formatted, piece) => {
    const opens = before === '{' || before === '['
    const closes = piece === '}' || piece === ']'
    if (closes) depth -= 1
    const breaks = closes ? !opens : opens || before === ','
    const spaced = `${breaks ? line() : ''}${piece}${piece === ':' ? ' ' : ''}`
    if (piece === '{' || piece === '[') depth += 1
    before = piece
    return formatted + spaced
  }, '')
}

/**
 * Returns the part of a token for a text that the reader edited. Undoing an edit gives the same
 * part again, even if its JSON was written in another way than this page would.
 *
 * @param original the part before the first edit, and its decoded text
 */
export function encodeEdited(edited: string, original: { readonly part: string; readonly text: string }): string {
  if (edited === formatJson(original.text)) return original.part
  // What is not JSON any more, or not yet, is encoded as it was typed.
  return encodeText(parseJson(edited) === undefined ? edited : withoutSpace(edited).join(''))
}

function withoutSpace(json: string): string[] {
  return (json.match(PIECES) ?? []).filter((piece) => !/^\s/.test(piece))
}
