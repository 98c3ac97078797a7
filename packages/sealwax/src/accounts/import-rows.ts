import { AuthError } from '../errors.ts'
import type { CreateUser } from './users.ts'

/** A user of another system. */
export interface ImportUser extends Omit<CreateUser, 'password' | 'passwordHash'> {
  /** The hash of the password, in a format of `docs/passwords.md`. */
  readonly passwordHash: string
  /** Whether the user has shown that the address is theirs. Default: the option `verified`. */
  readonly emailVerified?: boolean
  /** When the user was created there. Default: now. */
  readonly createdAt?: Date
}

/** A row of an import: a user, or the reason why it is none. */
export type ImportRow = { readonly line: number } & ({ readonly user: ImportUser } | { readonly refusal: AuthError })

/** A column of a file, and the member of `ImportUser` with its value. */
interface Column {
  readonly member: keyof ImportUser
  readonly isValid: (value: unknown) => boolean
  readonly must: string
  /** Reads the text of a CSV file. Undefined: it cannot be read. */
  readonly read: (text: string) => unknown
}

const isText = (value: unknown) => typeof value === 'string'
const text = { isValid: isText, must: 'be text', read: (given: string) => given }

/** The columns of a file. */
export const COLUMNS: Readonly<Record<string, Column>> = {
  email: { ...text, member: 'email' },
  password_hash: { ...text, member: 'passwordHash' },
  id: { ...text, member: 'id' },
  name: { ...text, member: 'name' },
  roles: {
    member: 'roles',
    isValid: (value) => Array.isArray(value) && value.every(isText),
    must: 'be a list of names (in CSV: separated by spaces)',
    read: (given) => given.split(' ').filter((role) => role !== ''),
  },
  email_verified: {
    member: 'emailVerified',
    isValid: (value) => typeof value === 'boolean',
    must: 'be true or false',
    read: (given) => BOOLEANS[given.toLowerCase()],
  },
  created_at: {
    member: 'createdAt',
    isValid: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
    must: 'be a time with its zone, such as 2024-05-01T12:00:00Z',
    read: readTime,
  },
  attributes: {
    member: 'attributes',
    isValid: (value) => value !== undefined,
    must: 'be a JSON object',
    read: parseJson,
  },
}

/** Databases write these in CSV. */
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, t: true, f: false, 1: true, 0: false }

/**
 * Checks the members and types of a user that was given in code.
 *
 * @throws {AuthError} `validation_failed`
 */
export function checkImportUser(given: unknown): ImportUser {
  const row = requireObject(given)
  const columns = new Map(Object.values(COLUMNS).map((column) => [column.member as string, column]))
  return toUser(Object.entries(row).map(([name, value]) => [name, columns.get(name), value]))
}

/**
 * Reads a line of a file with one JSON object per line.
 *
 * @throws {AuthError} `validation_failed`
 */
export function readJsonLine(line: string): ImportUser {
  const row = requireObject(parseJson(line))
  return toUser(
    Object.entries(row).map(([name, value]) => [
      name,
      columnOf(name),
      value === null ? undefined : fromJson(name, value),
    ]),
  )
}

/**
 * Reads a row of a CSV file. An empty value is the same as none.
 *
 * @throws {AuthError} `validation_failed`
 */
export function readCells(header: readonly string[], cells: readonly string[]): ImportUser {
  if (cells.length !== header.length) {
    throw invalidRow(`The row has ${cells.length} values, but the header has ${header.length} columns`)
  }
  return toUser(
    header.flatMap((name, i) => {
      const cell = cells[i] ?? ''
      const column = columnOf(name)
      if (cell === '' || column === undefined) return []
      const value = column.read(cell)
      if (value === undefined) throw invalidRow(`${name} must ${column.must}`)
      return [[name, column, value]]
    }),
  )
}

/** The error for a row that cannot be read. */
export function invalidRow(detail: string): AuthError {
  return new AuthError('validation_failed', detail)
}

function columnOf(name: string): Column | undefined {
  return Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined
}

type Entry = [name: string, column: Column | undefined, value: unknown]

function toUser(entries: Entry[]): ImportUser {
  const user: Record<string, unknown> = {}
  for (const [name, column, value] of entries) {
    if (column === undefined) throw invalidRow(`There is no column ${shown(name)}`)
    if (value === undefined) continue
    if (column.member === 'name' && value === null) continue
    if (!column.isValid(value)) throw invalidRow(`${name} must ${column.must}`)
    user[column.member] = value
  }
  if (user.email === undefined) throw invalidRow('The row has no e-mail address')
  if (user.passwordHash === undefined) throw invalidRow('The row has no password hash')
  return user as unknown as ImportUser
}

/** A name that does not look like one may be a value in the wrong place: a hash. */
function shown(name: string): string {
  return /^[a-z_]{1,30}$/i.test(name) ? `"${name}"` : 'of this name'
}

/** Keycloak's hashes are objects. */
function fromJson(name: string, value: unknown): unknown {
  if (name === 'created_at') return typeof value === 'string' ? (readTime(value) ?? value) : value
  return name === 'password_hash' && typeof value === 'object' ? JSON.stringify(value) : value
}

function requireObject(given: unknown): object {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given
  throw invalidRow('The row is not an object')
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch {
    return undefined
  }
}

/** Reads a time in the form of RFC 3339, also as Postgres writes it: `2024-05-01 12:00:00+00`. */
function readTime(given: string): Date | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)$/.exec(given)
  if (parts === null) return undefined
  const [, day, time, fraction = '', utc, hours, minutes = '00'] = parts
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${utc ?? `${hours}:${minutes}`}`)
  // JavaScript reads 30 February as 1 March.
  const midnight = new Date(`${day}T00:00:00Z`).getTime()
  if (Number.isNaN(date.getTime()) || Number.isNaN(midnight)) return undefined
  return new Date(midnight).toISOString().startsWith(`${day}`) ? date : undefined
}
