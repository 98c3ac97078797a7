import { isIP } from 'node:net'
import { AuthError } from '../errors.ts'

/** One attempt to log in. */
export interface TraceEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly account: string
  /** The address of the client. */
  readonly network: string
  /** Any name; undefined for a client that keeps no device token. */
  readonly device: string | undefined
  /** Whether the password is right, so that it is the owner who logs in. */
  readonly ok: boolean
}

/**
 * Reads a file of attempts: JSON lines, or CSV whose first line names the columns. The columns are
 * time (seconds since 1970, or ISO 8601), account, network (an address), device and ok.
 *
 * @throws {AuthError} `validation_failed` with the number of the line
 */
export function readTrace(text: string): TraceEntry[] {
  const lines = text
    .split('\n')
    .map((line, i) => ({ text: line.trim(), number: i + 1 }))
    .filter((line) => line.text !== '')
  const [head] = lines
  if (head === undefined) return []
  if (head.text.startsWith('{')) return lines.map((line) => toEntry(parseJson(line), line.number))
  const columns = head.text.split(',').map((name) => name.trim())
  for (const name of ['time', 'account', 'network']) {
    if (!columns.includes(name)) throw invalidLine(head.number, `the column ${name} is missing`)
  }
  return lines.slice(1).map((line) => {
    const cells = line.text.split(',').map((cell) => cell.trim())
    return toEntry(Object.fromEntries(columns.map((name, i) => [name, cells[i]])), line.number)
  })
}

function parseJson({ text, number }: { text: string; number: number }): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidLine(number, 'it is not JSON')
  }
}

function toEntry({ time, account, network, device, ok }: Record<string, unknown>, line: number): TraceEntry {
  const milliseconds = /^\d+(\.\d+)?$/.test(String(time)) ? Number(time) * 1000 : Date.parse(String(time))
  if (!Number.isFinite(milliseconds)) throw invalidLine(line, 'time must be seconds since 1970 or ISO 8601')
  if (typeof account !== 'string' || account === '') throw invalidLine(line, 'account must be a text')
  if (typeof network !== 'string' || isIP(network) === 0) throw invalidLine(line, 'network must be an IP address')
  const name = device === undefined || device === null || device === '' ? undefined : String(device)
  return { time: Math.round(milliseconds), account, network, device: name, ok: isTrue(ok, line) }
}

function isTrue(ok: unknown, line: number): boolean {
  if (ok === undefined || ok === null || ['', 'false', '0'].includes(String(ok))) return false
  if (['true', '1'].includes(String(ok))) return true
  throw invalidLine(line, 'ok must be true or false')
}

function invalidLine(line: number, what: string): AuthError {
  return new AuthError('validation_failed', `Line ${line} of the trace: ${what}`)
}
