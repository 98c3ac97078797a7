import { AuthError, storeUnavailable } from '../../errors.ts'
import { ConnectionRefused } from './connection-refused.ts'
import { codeOf, isUnavailable, translate } from './errors.ts'
import type { PostgresAddress } from './url.ts'

/** Why a database cannot be opened, by the code of the socket, of the client library or of Postgres (Appendix A), or its class. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused, so nothing listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ETIMEDOUT: 'no answer came',
  CONNECT_TIMEOUT: 'no answer came within 5 s',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network of the host',
  ENOENT: 'there is no such socket file',
  EACCES: 'this process may not use the socket file',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  CONNECTION_CLOSED: 'the connection was closed',
  RESERVATION_TIMEOUT:
    'it gave no connection within 5 s; look at its max_connections and at the CONNECTION LIMIT of the user and of the database',
  '25006': 'it is read-only, as a standby is',
  '28': 'it does not let this user in: check the user name, the password and pg_hba.conf',
  '3D000': 'a database of this name does not exist',
  '42501': 'this user may not create or use what is needed there',
  '53300': 'it has too many connections',
  '55P03': 'another server holds a lock',
  '57P01': 'it shuts down',
  '57P03': 'it starts up or shuts down',
}

/** Waiting does not mend these by itself, so whoever embeds the library is told that the configuration is wrong. */
const MISCONFIGURED = /^(28...|3D000|42501)$/

/** From the error of an attempt to open to a sentence that names host, port, database and cause, and neither user nor password. */
export function translateAtOpening(error: unknown, address: PostgresAddress): unknown {
  if (error instanceof AuthError && error.code === 'schema_outdated') return error
  const origin = originOf(error)
  const code = codeOf(origin)
  const isRefusal = origin instanceof ConnectionRefused
  const misconfigured = isRefusal || MISCONFIGURED.test(code)
  if (!misconfigured && !isUnavailable(origin)) return translate(error)
  const reason = isRefusal ? origin.message : (REASONS[code] ?? REASONS[code.slice(0, 2)] ?? `it answers ${code}`)
  const sentence = `The database ${shown(address)} cannot be used: ${reason}`
  return misconfigured
    ? new AuthError('config_invalid', sentence, { cause: origin })
    : storeUnavailable(sentence, origin)
}

/** Whether it is about reaching the database and being let in, which may be otherwise in a moment. */
export function isAboutConnection(error: unknown): boolean {
  const origin = originOf(error)
  return origin instanceof ConnectionRefused || /^(28...|3D000)$/.test(codeOf(origin)) || isUnavailable(origin)
}

function originOf(error: unknown): unknown {
  return error instanceof AuthError && error.cause !== undefined ? error.cause : error
}

function shown({ places, database }: PostgresAddress): string {
  const hosts = places.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  // Postgres takes the name of the user then, which is not for a log.
  const name = (database ?? '').replace(/\p{Cc}/gu, '?')
  return `${name === '' ? '' : `"${name}" `}at ${hosts.join(', ') || 'the default host'}`
}
