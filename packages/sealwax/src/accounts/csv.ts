/** The values of a record; `open` if it ends inside quotes; undefined if it is no CSV. */
export type CsvRecord = readonly string[] | 'open' | undefined

/**
 * Reads a record of CSV (RFC 4180) without its line end. A quote may only be around a whole value,
 * or doubled inside one: otherwise it would be a guess where the value ends.
 */
export function readCsvRecord(text: string): CsvRecord {
  const values: string[] = []
  for (let at = 0; ; at += 1) {
    if (text[at] === '"') {
      const quoted = readQuoted(text, at + 1)
      if (quoted === undefined) return 'open'
      values.push(quoted.value)
      at = quoted.end
    } else {
      const comma = text.indexOf(',', at)
      const value = text.slice(at, comma === -1 ? text.length : comma)
      if (value.includes('"')) return undefined
      values.push(value)
      at += value.length
    }
    if (at === text.length) return values
    if (text[at] !== ',') return undefined
  }
}

function readQuoted(text: string, start: number): { value: string; end: number } | undefined {
  let value = ''
  for (let from = start; ; ) {
    const quote = text.indexOf('"', from)
    if (quote === -1) return undefined
    value += text.slice(from, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1 }
    value += '"'
    from = quote + 2
  }
}
