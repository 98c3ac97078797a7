import { AuthError } from '../errors.ts'
import { readCsvRecord } from './csv.ts'
import { COLUMNS, type ImportRow, type ImportUser, invalidRow, readCells, readJsonLine } from './import-rows.ts'

/** The formats of a file of users. */
export type ImportFormat = 'csv' | 'jsonl'

/** A row is far shorter; without a limit, a file without line ends would be held in memory. */
const LONGEST_LINE = 65_536

/** How many lines a row of CSV may have; attributes may be written over several. */
const MOST_LINES = 200

/** A line of a file; without text when it cannot be read. */
interface Line {
  readonly line: number
  readonly text?: string
  readonly refusal?: AuthError
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Bytes = AsyncIterable<Uint8Array>

/**
 * Reads a file of users.
 *
 * @throws {AuthError} `validation_failed` if a CSV file has no usable header
 */
export function readRows(bytes: Bytes, format: ImportFormat): AsyncIterable<ImportRow> {
  return format === 'csv' ? readCsv(bytes) : readJsonLines(bytes)
}

async function* readJsonLines(bytes: Bytes): AsyncIterable<ImportRow> {
  for await (const { line, text = '', refusal } of readLines(bytes)) {
    if (refusal !== undefined) yield { line, refusal }
    else if (text.trim() !== '') yield toRow(line, () => readJsonLine(text))
  }
}

async function* readCsv(bytes: Bytes): AsyncIterable<ImportRow> {
  let header: readonly string[] | undefined
  for await (const { line, cells, refusal } of readRecords(bytes)) {
    if (header === undefined) header = readHeader(cells, refusal)
    else if (refusal !== undefined) yield { line, refusal }
    else yield toRow(line, () => readCells(header as readonly string[], cells ?? []))
  }
  if (header === undefined) throw invalidRow('The file is empty: its first line must name the columns')
}

function toRow(line: number, read: () => ImportUser): ImportRow {
  try {
    return { line, user: read() }
  } catch (error) {
    if (error instanceof AuthError) return { line, refusal: error }
    throw error
  }
}

/** Its names are not repeated in errors: without a header, the first line contains a hash. */
function readHeader(cells: readonly string[] | undefined, refusal: AuthError | undefined): readonly string[] {
  const known = Object.keys(COLUMNS)
  const must = `The first line of a CSV file must name its columns, separated by commas: ${known.join(', ')}`
  if (cells === undefined) throw invalidRow(`${must}. ${refusal?.detail}`)
  const unknown = cells.findIndex((name) => !known.includes(name))
  if (unknown !== -1) throw invalidRow(`${must}. There is no column with the name that is number ${unknown + 1}`)
  if (new Set(cells).size < cells.length) throw invalidRow(`${must}. A name is there twice`)
  const missing = ['email', 'password_hash'].filter((name) => !cells.includes(name))
  if (missing.length > 0) throw invalidRow(`${must}. There is no ${missing.join(' and no ')}`)
  return cells
}

interface Record {
  readonly line: number
  readonly cells?: readonly string[]
  readonly refusal?: AuthError
}

/** A quoted value may contain line ends, so a record may have several lines. */
async function* readRecords(bytes: Bytes): AsyncIterable<Record> {
  let open: readonly Line[] = []
  for await (const next of readLines(bytes)) {
    const { records, rest } = takeRecords([...open, next])
    yield* records
    open = rest
  }
  while (open.length > 0) {
    yield { line: open[0]?.line ?? 0, refusal: unclosed() }
    const { records, rest } = takeRecords(open.slice(1))
    yield* records
    open = rest
  }
}

/** Reads the complete records of some lines. The rest may be continued by the next line. */
function takeRecords(lines: readonly Line[]): { records: Record[]; rest: readonly Line[] } {
  const records: Record[] = []
  let rest = lines
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    const { line, text, refusal } = first
    let taken: number | undefined = 1
    if (text === undefined) records.push({ line, refusal: refusal ?? unclosed() })
    else if (text !== '') {
      const found = readOne(rest)
      taken = found?.lines
      if (found !== undefined) records.push({ line, ...found.content })
    }
    if (taken === undefined) break
    rest = rest.slice(taken)
  }
  return { records, rest }
}

/**
 * Reads the first record. Undefined when the next line is needed.
 *
 * A record that is not CSV is given up with its first line, since the next ones may be correct.
 */
function readOne(lines: readonly Line[]): { content: Omit<Record, 'line'>; lines: number } | undefined {
  const [first = ''] = lines.map(({ text }) => text)
  const alone = readCsvRecord(first)
  if (alone === undefined) return { content: { refusal: notCsv() }, lines: 1 }
  if (alone !== 'open') return { content: { cells: alone }, lines: 1 }
  // It ends with the line that makes the number of quotes even.
  let quotes = 0
  let length = 0
  for (const [i, { text }] of lines.entries()) {
    if (text === undefined) return { content: { refusal: unclosed() }, lines: 1 }
    quotes += text.split('"').length - 1
    length += text.length
    if (length > LONGEST_LINE || i >= MOST_LINES) return { content: { refusal: unclosed() }, lines: 1 }
    if (quotes % 2 === 1) continue
    const whole = lines.slice(0, i + 1).map((part) => part.text)
    const cells = readCsvRecord(whole.join('\n'))
    if (cells === undefined || cells === 'open') return { content: { refusal: notCsv() }, lines: 1 }
    return { content: { cells }, lines: i + 1 }
  }
  return undefined
}

function unclosed(): AuthError {
  return invalidRow(`A quote is not closed within ${MOST_LINES} lines or ${LONGEST_LINE} characters`)
}

function notCsv(): AuthError {
  return invalidRow('The row is not CSV: a quote must be around a whole value, and doubled inside it')
}

/** Splits bytes into lines, which may end with CRLF. A BOM before the first one is left out. */
async function* readLines(bytes: Bytes): AsyncIterable<Line> {
  let line = 1
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytes) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end))
      yield decode(line, parts, length)
      line += 1
      parts = []
      length = 0
      from = end + 1
    }
    add(chunk.subarray(from))
  }
  if (length > 0) yield decode(line, parts, length)

  function add(part: Uint8Array): void {
    length += part.length
    // The rest of a line that is too long is only counted.
    if (length <= LONGEST_LINE) parts.push(part)
  }
}

function decode(line: number, parts: readonly Uint8Array[], length: number): Line {
  if (length > LONGEST_LINE) return { line, refusal: invalidRow(`The line is longer than ${LONGEST_LINE} bytes`) }
  let text: string
  try {
    text = UTF8.decode(Buffer.concat(parts)).replace(/\r$/, '')
  } catch {
    return { line, refusal: invalidRow('The line is not UTF-8') }
  }
  return { line, text: line === 1 ? text.replace(/^\ufeff/, '') : text }
}
