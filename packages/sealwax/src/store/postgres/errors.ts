import { AuthError, storeUnavailable } from '../../errors.ts'
import { Conflict, type Facts } from '../contract/store.ts'

/** Codes of the client library and of the socket beneath it that mean: no connection now. */
const CONNECTION = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'RESERVATION_TIMEOUT'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOENT', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'TLS_MISSING', 'TLS_FAILED', 'CLEARTEXT_REFUSED'],
])

/** Classes and codes of Postgres (Appendix A) that mean: not now, nothing was decided. */
const UNAVAILABLE = /^(08...|28...|3D000|53...|57P0.|57014|58...|25006|55P03|40001|40P01)$/

const UNIQUE_VIOLATION = '23505'

/** A serialization failure or a deadlock: the transaction may simply be run again. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error instanceof AuthError ? error.cause : error)
  return code === '40001' || code === '40P01'
}

/** Whether it says: not now, nothing was decided. */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  return CONNECTION.has(code) || UNAVAILABLE.test(code)
}

/** From a driver's error to `Conflict` or `temporarily_unavailable`; what is neither stays as it is. */
export function translate(error: unknown): unknown {
  if (error instanceof AuthError || error instanceof Conflict) return error
  const code = codeOf(error)
  if (code === UNIQUE_VIOLATION) return new Conflict(fieldOf(error), error)
  if (isUnavailable(error)) return storeUnavailable('The database does not answer', error)
  return error
}

/** The same facts, with every error translated. `tracked` hears of each query. */
export function translated(facts: Facts, tracked: <T>(query: Promise<T>) => Promise<T> = (query) => query): Facts {
  const nouns = Object.entries(facts).map(([name, noun]) => {
    const methods = Object.entries(noun as Record<string, (...args: unknown[]) => Promise<unknown>>)
    const safe = methods.map(([method, run]) => [method, (...args: unknown[]) => tracked(run(...args)).catch(rethrow)])
    return [name, Object.fromEntries(safe)]
  })
  return Object.fromEntries(nouns) as Facts
}

function rethrow(error: unknown): never {
  throw translate(error)
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** The column, from the name that Postgres gives a unique constraint: table_column_key. */
function fieldOf(error: unknown): string {
  const constraint = error instanceof Error && 'constraint_name' in error ? String(error.constraint_name) : ''
  if (constraint.endsWith('_pkey')) return constraint === 'signing_keys_pkey' ? 'sequence' : 'id'
  return /^(?:users|signing_keys)_(\w+)_key$/.exec(constraint)?.[1] ?? 'value'
}
