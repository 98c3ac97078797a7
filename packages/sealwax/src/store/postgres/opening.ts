import { AuthError, storeUnavailable } from '../../errors.ts'
import { ConnectionRefused } from './connection-refused.ts'
import { codeOf, isUnavailable, translate } from './errors.ts'
import type { PostgresAddress } from './url.ts'

/**
 * Why a database cannot be opened, by a code of the socket, the library or Postgres (Appendix A).
 */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused: nothing listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ETIMEDOUT: 'it did not respond',
  CONNECT_TIMEOUT: 'it did not respond within 5 s',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  ENOENT: 'there is no such socket file',
  EACCES: 'this process has no access to the socket file',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  CONNECTION_CLOSED: 'the connection was closed',
  RESERVATION_TIMEOUT:
    'it granted no connection within 5 s; check its max_connections and the CONNECTION LIMIT of the user and of the database',
  '25006': 'it is read-only, such as a standby',
  '28': 'it rejects this user: check the user name, the password and pg_hba.conf',
  '3D000': 'a database of this name does not exist',
  '42501': 'this user lacks a privilege that is needed',
  '53300': 'it has too many connections',
  '55P03': 'another server holds a lock',
  '57P01': 'it is shutting down',
  '57P03': 'it is starting up or shutting down',
}

/** Codes that waiting does not fix: the configuration is wrong. */
const MISCONFIGURED = /^(28...|3D000|42501)$/

/**
 * Converts an error from opening: the message names host, port, database and cause, never user or
 * password.
 */
export function translateAtOpening(error: unknown, address: PostgresAddress): unknown {
  if (error instanceof AuthError && error.code === 'schema_outdated') return error
  const origin = findOrigin(error)
  const code = codeOf(origin)
  const isRefusal = origin instanceof ConnectionRefused
  const misconfigured = isRefusal || MISCONFIGURED.test(code)
  if (!misconfigured && !isUnavailable(origin)) return translate(error)
  const reason = isRefusal ? origin.message : (REASONS[code] ?? REASONS[code.slice(0, 2)] ?? `it reports ${code}`)
  const sentence = `The database ${shown(address)} cannot be used: ${reason}`
  return misconfigured
    ? new AuthError('config_invalid', sentence, { cause: origin })
    : storeUnavailable(sentence, origin)
}

/** Whether an error is about connecting or logging in, which may work later. */
export function isAboutConnection(error: unknown): boolean {
  const origin = findOrigin(error)
  return origin instanceof ConnectionRefused || /^(28...|3D000)$/.test(codeOf(origin)) || isUnavailable(origin)
}

function findOrigin(error: unknown): unknown {
  return error instanceof AuthError && error.cause !== undefined ? error.cause : error
}

function shown({ places, database }: PostgresAddress): string {
  const hosts = places.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  // The default is the name of the user, which must not be logged.
  const name = (database ?? '').replace(/\p{Cc}/gu, '?')
  return `${name === '' ? '' : `"${name}" `}at ${hosts.join(', ') || 'the default host'}`
}
