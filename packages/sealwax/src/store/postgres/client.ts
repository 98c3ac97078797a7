import postgres from 'postgres'
import type { Hearing } from './listener.ts'
import { failing, openSocket } from './socket.ts'
import type { Place, PostgresAddress } from './url.ts'

/** What the library has made of the options and of the environment (PGHOST, PGPASSWORD). */
interface Resolved {
  host: readonly string[]
  readonly port: readonly number[]
  readonly path: string | undefined
  readonly pass: string
}

/**
 * A client of one connection, which tries each host once. It is never mended: whoever holds it drops it when it is lost. The library gets the parts of
 * the URL and never the URL, and a socket that was opened here: its own would go without TLS and send the password in the clear to whoever asks.
 */
export function clientOf(
  { places, user, password, database, tls, client: options, startup }: PostgresAddress,
  events: Partial<Hearing>,
): postgres.Sql {
  const stop = new AbortController()
  let left: Place[] | undefined
  const socket = (resolved: Resolved) => {
    left ??= placesOf(resolved)
    const place = left.shift()
    // Left alone, the library goes on for ever without a pause, and hides an error while it knows another host.
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
  // The library's types do not know `socket`, and take no lists of hosts.
  const client = postgres(given as object)
  const end = client.end.bind(client)
  // The library forgets a connection that is still being made, and that would stay open.
  return Object.assign(client, { end: (how?: { timeout?: number }) => end(how).finally(() => stop.abort()) })
}

/** Times and counters fit a double exactly; the library would give strings. */
const BIGINT = { to: 20, from: [20], parse: Number, serialize: String }

/** In both formats of `bytea_output`: the library reads the default one only. */
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

/** Whether a host is the primary is looked up by whoever opens the connection: the library takes a standby for read-write. */
function withoutKind({ target_session_attrs: kind, ...options }: PostgresAddress['client']): PostgresAddress['client'] {
  return kind === 'standby' || kind === 'read-only' ? { ...options, target_session_attrs: kind } : options
}

function placesOf({ host, port, path }: Resolved): Place[] {
  // The library has added the name of the file to the directory, as we do.
  const hosts = path ? [path.replace(/\/\.s\.PGSQL\.\d+$/, '')] : host
  return hosts.map((name, i) => ({ host: name, port: port[i] as number }))
}
