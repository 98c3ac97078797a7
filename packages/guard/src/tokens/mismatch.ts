import type { JwtErrorCode, JwtHeader, JwtPayload, VerificationKeys } from '@sealwax/jwt'

/** What a guard expects of a token. */
export interface Expected {
  /** The accepted issuers. */
  readonly issuer: string | readonly string[] | null
  /** The names of the API. */
  readonly audience: string | readonly string[] | null
  /** The accepted `typ`. */
  readonly typ: string | null
  /** The accepted algorithms, if restricted. */
  readonly algorithms?: readonly string[] | undefined
  /** The keys that the token was checked with. */
  readonly keys: VerificationKeys
}

/** What was expected of a refused token, and what it has instead. For the log. */
export interface Mismatch {
  /** What is accepted. */
  readonly expected: string | readonly string[]
  /** Absent if the token has none. */
  readonly received?: string | readonly string[]
  /** Both in a sentence. */
  readonly sentence: string
}

interface Content {
  readonly header: Partial<JwtHeader>
  readonly payload: JwtPayload
}

interface Row {
  readonly name: string
  readonly expected: (expected: Expected, content: Content) => string | readonly string[] | null
  readonly received: (content: Content) => unknown
}

const ISSUER: Row = { name: 'issuer', expected: ({ issuer }) => issuer, received: ({ payload }) => payload.iss }

const TABLE: { readonly [code in JwtErrorCode]?: Row } = {
  ERR_JWT_ISSUER: ISSUER,
  // Tokens of another issuer usually have another `kid`, which is noticed first.
  ERR_JWT_KEY_UNKNOWN: ISSUER,
  ERR_JWT_AUDIENCE: {
    name: 'audience',
    expected: ({ audience }) => audience,
    received: ({ payload }) => payload.aud,
  },
  ERR_JWT_TYPE: { name: 'typ', expected: ({ typ }) => typ, received: ({ header }) => header.typ },
  ERR_JWT_ALGORITHM: { name: 'algorithm', expected: algorithmsFor, received: ({ header }) => header.alg },
}

const LONGEST = 256
const MOST = 16

/**
 * Returns what differs between a token and what is expected of it, for refusals about issuer,
 * audience, type or algorithm. The token may not be genuine, so its strings are shortened and
 * cannot forge a line of the log.
 * @returns `undefined` for other refusals, and if nothing differs
 */
export function mismatchOf(code: JwtErrorCode, content: Content, rules: Expected): Mismatch | undefined {
  const row = TABLE[code]
  const expected = row?.expected(rules, content)
  if (row === undefined || expected === undefined || expected === null) return undefined
  const received = readable(row.received(content))
  const wanted = [expected].flat()
  const given = received === undefined ? [] : [received].flat()
  if (given.some((value) => wanted.includes(value))) return undefined
  const sentence = `expected the ${row.name} ${quoted(wanted, ' or ')}, received ${quoted(given, ' and ') || 'none'}${slashBetween(wanted, given)}`
  return received === undefined ? { expected, sentence } : { expected, received, sentence }
}

/** Returns the message about metadata that names another issuer than requested. */
export function anotherIssuer(issuer: string, named: unknown): string {
  if (typeof named !== 'string') return 'the document names no issuer'
  return `the document names the issuer ${quoted([printable(named)], '')}, expected "${issuer}"${slashBetween([issuer], [named])}`
}

function slashBetween(wanted: readonly string[], given: readonly string[]): string {
  const slash = wanted.some((one) => given.some((other) => withoutSlash(one) === withoutSlash(other)))
  return slash ? ': they differ only by the slash at the end' : ''
}

/**
 * The algorithms that the guard's option allows, else that of the key which the token names, else
 * those of all keys.
 */
function algorithmsFor({ algorithms, keys }: Expected, { header }: Content): string | readonly string[] {
  if (algorithms !== undefined && !algorithms.includes(header.alg ?? '')) return algorithms
  const all = 'kid' in keys ? [keys] : 'get' in keys ? keys.keys : keys
  const named = all.filter(({ kid }) => kid === header.kid)
  const names = [...new Set((named.length > 0 ? named : all).map(({ alg }) => alg))]
  return names.length === 1 ? (names[0] as string) : names
}

function readable(value: unknown): string | readonly string[] | undefined {
  if (typeof value === 'string') return printable(value)
  if (!Array.isArray(value)) return undefined
  return value
    .filter((member) => typeof member === 'string')
    .slice(0, MOST)
    .map(printable)
}

function printable(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text
}

function quoted(values: readonly string[], between: string): string {
  return values.map((value) => `"${value}"`).join(between)
}
