import { AuthError } from '../../errors.ts'

/** libpq's names. `allow` is treated as `prefer`. */
const TLS_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type TlsMode = (typeof TLS_MODES)[number]

export interface TlsSettings {
  readonly mode: TlsMode
  /** The path of a PEM file, or `system`. Without it, Node's own list of authorities is used. */
  readonly rootCertificate: string | undefined
  /** Starts TLS with the first octet (Postgres 17), without first requesting it. */
  readonly direct: boolean
  /** Binds the log-in to the TLS connection, so that there can be no man in the middle. */
  readonly bound: boolean
}

/** A host, or the directory of a Unix socket, which begins with a slash. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** The parts of a database URL, decoded. */
export interface PostgresAddress {
  /** Empty: the default of the client library. */
  readonly places: readonly Place[]
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly tls: TlsSettings
  /** Whether there is a pooler before the database; undefined: detected. */
  readonly pooled: boolean | undefined
  /** Whether to prepare statements; undefined: only if there is no pooler. */
  readonly prepares: boolean | undefined
  /** Options of the client library. */
  readonly client: Readonly<Record<string, string | number>>
  /** Sent to the server when a connection is opened. */
  readonly startup: Readonly<Record<string, string>>
}

const DEFAULT_PORT = 5432
const SESSION_KINDS = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby']
const NUMBERS = ['idle_timeout', 'keep_alive', 'max_pipeline']
/** Parameters that are sent to the server when a connection is opened. */
const OF_THE_SERVER = ['application_name', 'options']
/**
 * Parameters of other clients and of hosting providers. They are ignored, since the store decides
 * these things itself.
 */
const IGNORED = [
  ...['max', 'max_lifetime', 'connect_timeout', 'fetch_types', 'backoff', 'publications', 'debug'],
  ...['connection_limit', 'pool_timeout', 'statement_cache_size', 'supa', 'uselibpqcompat', 'workaround'],
  ...['fallback_application_name', 'client_encoding', 'sslsni', 'sslcompression', 'tcp_user_timeout'],
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count'],
]

/**
 * Parses `postgres://user:password@host:port/database?parameters`. Stricter than the URL class:
 * ambiguous input is refused.
 *
 * @param name what the error message begins with, such as the name of a variable
 * @throws {AuthError} `config_invalid`; of the URL, the message contains at most the name of a
 *   parameter or one character to encode
 */
export function parsePostgresUrl(url: string, name = 'The database URL'): PostgresAddress {
  const refuse = (sentence: string) => new AuthError('config_invalid', `${name}: ${sentence}`)
  const scheme = /^\s*postgres(?:ql)?:\/\//i.exec(url)?.[0]
  if (scheme === undefined) throw refuse('it must be like postgres://user@host/database')
  const rest = url.slice(scheme.length).trimEnd()
  // Everything before the last @ is treated as user and password: a host, a database name and
  // parameters contain no raw @.
  const at = rest.lastIndexOf('@')
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(rest.slice(0, Math.max(0, at))) ?? []
  const [, authority = '', path, query = ''] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(rest.slice(at + 1)) ?? []
  if (rest.slice(at + 1).includes('#')) throw refuse('a # must be percent-encoded: write %23')
  const decode = decoder(refuse)
  const parameters = new Map<string, string>()
  // As in libpq, + does not mean a space: a password may well contain one.
  for (const [key, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) parameters.set(key, value)
  const take = (key: string) => {
    const value = parameters.get(key)
    parameters.delete(key)
    return value === '' ? undefined : value
  }
  if ([...parameters].flat().some((text) => text.includes('\0'))) throw refuse('%00 is not allowed')
  // If a password contains a raw `&`, the rest of it looks like the name of a parameter.
  const mayBeNamed = nameable(path, query)
  const given = { host: take('host'), port: take('port'), user: take('user'), password: take('password') }
  const database = take('dbname')
  // Some URLs give the directory of a socket as a parameter, in addition to a meaningless host.
  const where = authority === '' || given.host?.startsWith('/') ? encoded(given.host) : authority
  const address = {
    places: placesOf(where, portOf(given.port, refuse), decode, refuse),
    user: decode('user name', user) ?? given.user,
    password: decode('password', password) ?? given.password,
    database: decode('database name', path) ?? database,
    tls: tlsOf(take, refuse),
    pooled: booleanOf('pgbouncer', take, refuse),
    prepares: booleanOf('prepare', take, refuse),
    client: clientOptions(take, refuse),
    startup: startupOf(take),
  }
  requireWithoutMeaning(take, refuse)
  const [unknown] = parameters.keys()
  if (unknown === undefined) return address
  if (!mayBeNamed(unknown)) throw refuse('a parameter is not known; in a value, write & as %26')
  if (UNSUPPORTED.test(unknown)) throw refuse(`the parameter ${unknown} is not supported`)
  throw refuse(`the parameter ${unknown} is not known; a setting of the server is written options=-c%20name%3Dvalue`)
}

type Refuse = (sentence: string) => AuthError
type Decode = (part: string, text: string | undefined) => string | undefined
type Take = (key: string) => string | undefined

/** Delimiters of a URL, white space, control characters, and a % without two hexadecimal digits. */
const RAW = /[/?#[\]@\s\p{Cc}]|%(?![0-9A-Fa-f]{2})/u

function decoder(refuse: Refuse): Decode {
  return (part, text) => {
    if (text === undefined || text === '') return undefined
    const raw = RAW.exec(text)?.[0]
    if (raw !== undefined) {
      const shown = /\s|\p{Cc}/u.test(raw) ? 'a space or control character' : raw
      throw refuse(`the ${part} must be percent-encoded: write ${shown} as ${encodeURIComponent(raw)}`)
    }
    let decoded: string
    try {
      decoded = decodeURIComponent(text)
    } catch {
      throw refuse(`the ${part} must be percent-encoded as UTF-8`)
    }
    if (decoded.includes('\0')) throw refuse('%00 is not allowed')
    return decoded
  }
}

/** Writes a host from the parameters as it would be written in the authority of the URL. */
function encoded(host: string | undefined): string {
  if (host === undefined) return ''
  if (host.startsWith('/')) return encodeURIComponent(host)
  return /^[^,[]*:[^,[]*:/.test(host) ? `[${host}]` : host
}

function placesOf(authority: string, defaultPort: number, decode: Decode, refuse: Refuse): Place[] {
  if (authority === '') return []
  return authority.split(',').map((text) => {
    const [, ipv6, name, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(.*))?$/s.exec(text) ?? []
    const host = ipv6 ?? decode('host name', name)
    if (host === undefined || !/^([\p{L}\p{N}._-]+|[0-9A-Fa-f:.]+|\/[^\p{Cc}]+)$/u.test(host)) {
      throw refuse('the host is not a valid name or address')
    }
    return { host, port: port === undefined || port === '' ? defaultPort : portOf(port, refuse) }
  })
}

function portOf(port: string | undefined, refuse: Refuse): number {
  if (port === undefined) return DEFAULT_PORT
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw refuse('the port must be a number from 1 to 65535')
  }
  return Number(port)
}

function tlsOf(take: Take, refuse: Refuse): TlsSettings {
  const [sslmode, ssl] = [take('sslmode'), take('ssl')]
  // Other clients call this parameter `ssl`.
  const asked = sslmode ?? (ssl === 'true' ? 'verify-full' : ssl === 'false' ? 'disable' : ssl)
  const rootCertificate = take('sslrootcert')
  const named = asked ?? (rootCertificate === 'system' ? 'verify-full' : 'prefer')
  // node-postgres calls this mode `no-verify`.
  const mode = named === 'no-verify' ? 'require' : TLS_MODES.find((known) => known === named)
  if (mode === undefined) throw refuse(`sslmode must be one of ${TLS_MODES.join(', ')}`)
  const negotiation = take('sslnegotiation') ?? 'postgres'
  if (negotiation !== 'postgres' && negotiation !== 'direct') throw refuse('sslnegotiation must be postgres or direct')
  const direct = negotiation === 'direct'
  if (direct && (mode === 'disable' || mode === 'allow' || mode === 'prefer')) {
    throw refuse('sslnegotiation=direct needs sslmode=require or stronger')
  }
  const bound = bindingOf(take, refuse)
  if (bound && mode === 'disable') throw refuse('channel_binding=require needs TLS: leave sslmode=disable out')
  // As in libpq, `require` with a root certificate verifies the CA.
  const verified = mode === 'require' && rootCertificate !== undefined ? 'verify-ca' : mode
  return {
    mode: bound && (mode === 'allow' || mode === 'prefer') ? 'require' : verified,
    rootCertificate,
    direct,
    bound,
  }
}

function bindingOf(take: Take, refuse: Refuse): boolean {
  const asked = take('channel_binding')
  if (asked !== undefined && !['disable', 'prefer', 'require'].includes(asked)) {
    throw refuse('channel_binding must be disable, prefer or require')
  }
  return asked === 'require'
}

function clientOptions(take: Take, refuse: Refuse): Record<string, string | number> {
  const options: Record<string, string | number> = {}
  const kind = take('target_session_attrs')
  if (kind !== undefined && kind !== 'any') {
    if (!SESSION_KINDS.includes(kind)) throw refuse(`target_session_attrs must be any, ${SESSION_KINDS.join(', ')}`)
    options.target_session_attrs = kind
  }
  for (const name of NUMBERS) {
    const value = take(name)
    if (value === undefined) continue
    if (!/^\d+$/.test(value)) throw refuse(`${name} must be a number`)
    options[name] = Number(value)
  }
  return options
}

function startupOf(take: Take): Record<string, string> {
  const given = OF_THE_SERVER.map((name) => [name, take(name)] as const)
  return Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined))
}

function booleanOf(name: string, take: Take, refuse: Refuse): boolean | undefined {
  const value = take(name)
  if (value !== undefined && value !== 'true' && value !== 'false') throw refuse(`${name} must be true or false`)
  return value === undefined ? undefined : value === 'true'
}

/**
 * Ignores parameters that have no effect, but refuses one that requires an unsupported protection.
 */
function requireWithoutMeaning(take: Take, refuse: Refuse): void {
  for (const name of IGNORED) take(name)
  if (take('gssencmode') === 'require') {
    throw refuse('gssencmode=require is not supported: leave it out, and write sslmode=verify-full')
  }
}

/** Client parameters of libpq that are not supported here. */
const UNSUPPORTED = /^(ssl\w+|hostaddr|pass|passfile|service|require_auth|krbsrvname|gsslib|gssdelegation)$/

/** Whether a message may contain the name of a parameter: not if it may be part of a password. */
function nameable(path = '', query = ''): (name: string) => boolean {
  const pairs = query.split('&')
  // An = in the path means that the question mark is missing: the query may be part of a password.
  const first = path.includes('=') ? 0 : pairs.findIndex(mayHoldPassword)
  const before = first < 0 ? pairs : pairs.slice(0, first)
  const own = pairs[first]?.split('=')[0]
  return (name) =>
    /^[a-z]\w{0,39}$/i.test(name) &&
    (before.some((pair) => pair.startsWith(`${name}=`)) || (name === own && OF_PASSWORDS.test(name)))
}

/** Names of parameters for a password. If one is not supported, a message may contain its name. */
const OF_PASSWORDS = /^(ssl)?(pass(word|file)?|pwd)$/i

function mayHoldPassword(pair: string): boolean {
  const [name] = [...new URLSearchParams(pair).keys()]
  return /[?@:]/.test(pair) || /pass|pwd/i.test(name ?? '')
}
