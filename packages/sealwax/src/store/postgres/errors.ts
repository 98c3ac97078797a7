import { Conflict, type Facts } from '../../core/unit-of-work.ts'
import { AuthError, nulRefused, storeUnavailable } from '../../errors.ts'

/** Codes of the client library and its socket which mean that there is no connection now. */
const CONNECTION = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'RESERVATION_TIMEOUT'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOENT', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'TLS_MISSING', 'TLS_FAILED', 'CLEARTEXT_REFUSED', 'BINDING_REFUSED'],
])

/**
 * Postgres classes and codes (Appendix A) which mean that the database is unavailable now and that
 * nothing was decided.
 */
const UNAVAILABLE = /^(08...|28...|3D000|53...|57P0.|57014|58...|25006|25P0[234]|42501|55P03|40001|40P01)$/
/**
 * A prepared statement is missing or already exists: a pooler has given the connection to another
 * client.
 */
const NOT_OURS = /^(26000|42P05)$/
/** Text with a NUL octet. */
const UNTRANSLATABLE = '22021'

const UNIQUE_VIOLATION = '23505'

/** Whether the database user lacks a privilege. */
export function isRefusedPrivilege(error: unknown): boolean {
  return codeOf(error) === '42501'
}

/**
 * Whether the transaction can be run again: after a serialization failure, a deadlock, or a
 * statement that was prepared before a table was changed.
 */
export function isRetryable(error: unknown): boolean {
  const cause = error instanceof AuthError ? error.cause : error
  const code = codeOf(cause)
  return (
    code === '40001' ||
    code === '40P01' ||
    (code === '0A000' && fieldOfServer(cause, 'routine') === 'RevalidateCachedQuery')
  )
}

/** Whether an error means that the database is unavailable now and that nothing was decided. */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  // After a fatal error the server closes the connection, whichever code it has. Poolers do the
  // same when no code fits.
  const isFatal = /^(FATAL|PANIC)$/.test(fieldOfServer(error, 'severity'))
  return isFatal || CONNECTION.has(code) || UNAVAILABLE.test(code)
}

/**
 * Converts a driver's error to `Conflict`, `validation_failed` (a NUL octet) or
 * `temporarily_unavailable`. Other errors are returned unchanged.
 */
export function translate(error: unknown): unknown {
  if (error instanceof AuthError || error instanceof Conflict) return error
  const code = codeOf(error)
  if (code === UNIQUE_VIOLATION) return new Conflict(fieldOf(error), error)
  if (code === UNTRANSLATABLE) return nulRefused(error)
  if (NOT_OURS.test(code)) return storeUnavailable(LOST_STATEMENT, error)
  if (isUnavailable(error)) return storeUnavailable('The database does not answer', error)
  return error
}

const LOST_STATEMENT =
  'A pooler lost a prepared statement: the database URL must not say prepare=true or pgbouncer=false'

/** Returns the same facts with translated errors. `tracked` is called with each query. */
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
  return fieldOfServer(error, 'code')
}

function fieldOfServer(error: unknown, name: 'code' | 'routine' | 'severity' | 'constraint_name'): string {
  return error instanceof Error && name in error ? String((error as unknown as Record<string, unknown>)[name]) : ''
}

/** The column, from the name that Postgres gives to a unique constraint: table_column_key. */
function fieldOf(error: unknown): string {
  const constraint = fieldOfServer(error, 'constraint_name')
  if (constraint.endsWith('_pkey')) return constraint === 'signing_keys_pkey' ? 'sequence' : 'id'
  return /^(?:users|signing_keys)_(\w+)_key$/.exec(constraint)?.[1] ?? 'value'
}
