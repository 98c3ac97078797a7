import postgres from 'postgres'
import type { ListenCallbacks } from './listener.ts'
import { failing, openSocket } from './socket.ts'
import type { Place, PostgresAddress } from './url.ts'

/** The options of the library after it has read the environment (PGHOST, PGPASSWORD). */
interface Resolved {
  host: readonly string[]
  readonly port: readonly number[]
  readonly path: string | undefined
  readonly pass: string
}

/**
 * A client with one connection, which tries each host once and never reconnects. The library gets
 * the parts of the URL, never the URL itself, and a socket opened here: its own would fall back to
 * no TLS and send the password in cleartext to any server.
 */
export function clientOf(
  { places, user, password, database, tls, client: options, startup }: PostgresAddress,
  events: Partial<ListenCallbacks>,
): postgres.Sql {
  const stop = new AbortController()
  let left: Place[] | undefined
  const socket = (resolved: Resolved) => {
    left ??= listPlaces(resolved)
    const place = left.shift()
    // Otherwise the library retries forever without a pause, and hides an error while it has
    // another host.
    if (left.length === 0) resolved.host = resolved.host.slice(0, 1)
    if (place === undefined) return failing('CONNECTION_CLOSED')
    return openSocket(place, { tls, password: resolved.pass, stop: stop.signal })
  }
  const given = {
    ...withoutKind(options),
    ...(places.length > 0 && { host: places.map(({ host }) => host), port: places.map(({ port }) => port) }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    max: 1,
    connect_timeout: 5,
    max_lifetime: null,
    fetch_types: false,
    ssl: false,
    onnotice: () => {},
    connection: { application_name: 'sealwax', ...startup },
    types: { bigint: BIGINT, bytea: BYTEA },
    socket,
    ...events,
  }
  // The library's types lack `socket` and lists of hosts.
  const client = postgres(given as object)
  const end = client.end.bind(client)
  // The library does not close a connection that is still being opened.
  return Object.assign(client, { end: (how?: { timeout?: number }) => end(how).finally(() => stop.abort()) })
}

/** Times and counters fit a double exactly; the library would return strings. */
const BIGINT = { to: 20, from: [20], parse: Number, serialize: String }

/** Both formats of `bytea_output`: the library supports only the default. */
const BYTEA = {
  to: 17,
  from: [17],
  parse: (text: string) => (text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : unescaped(text)),
  serialize: (octets: Uint8Array) => `\\x${Buffer.from(octets).toString('hex')}`,
}

/** https://www.postgresql.org/docs/current/datatype-binary.html, "bytea Escape Format" */
function unescaped(text: string): Buffer {
  const plain = text.replace(/\\(\\|[0-7]{3})/g, (_, code) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return Buffer.from(plain, 'latin1')
}

/** The pool checks for the primary itself: the library accepts a standby as read-write. */
function withoutKind({ target_session_attrs: kind, ...options }: PostgresAddress['client']): PostgresAddress['client'] {
  return kind === 'standby' || kind === 'read-only' ? { ...options, target_session_attrs: kind } : options
}

function listPlaces({ host, port, path }: Resolved): Place[] {
  // The library appends the file name to the directory, as we do.
  const hosts = path ? [path.replace(/\/\.s\.PGSQL\.\d+$/, '')] : host
  return hosts.map((name, i) => ({ host: name, port: port[i] as number }))
}
