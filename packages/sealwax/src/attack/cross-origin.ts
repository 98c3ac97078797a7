import { type Attempt, bearer, EVIL, isSuccess } from './attempt.ts'
import type { Reply } from './target.ts'

/** Where the route is, and who may use it from a browser. */
export interface Sharing {
  readonly token: string
  readonly method: string
  /** The origin of the route. */
  readonly own: string
  /** An origin whose pages may send requests with a token. */
  readonly allowed?: string
  /** The cookie in which the route accepts the token. */
  readonly cookie?: string
}

const SOURCE = 'CWE-942'
const text = (value: string | string[] | undefined) => String(value ?? '').toLowerCase()
const list = (value: string | string[] | undefined) => text(value).split(/\s*,\s*/)

/**
 * Requests and preflights (Fetch standard §3.3) from origins that are allowed nothing, and from one
 * that is.
 */
export function crossOrigin(sharing: Sharing): Attempt[] {
  const { token, method, own, allowed } = sharing
  const strangers = strangersTo([own, ...(allowed === undefined ? [] : [allowed])])
  const refused = strangers.flatMap(([who, origin]): Attempt[] => [
    {
      name: `a request from ${who}, ${origin}`,
      source: SOURCE,
      sent: { headers: [...bearer(token), 'Origin', origin] },
      judge: shares(origin),
    },
    {
      name: `a preflight from ${who}, ${origin}`,
      source: SOURCE,
      sent: { method: 'OPTIONS', headers: preflight(origin, method) },
      judge: shares(origin),
    },
  ])
  return allowed === undefined ? refused : [...refused, ...fromAllowed({ ...sharing, allowed })]
}

/** Names that a careless comparison takes for one of the given origins. */
function strangersTo(origins: readonly string[]): readonly (readonly [who: string, origin: string])[] {
  const near = origins.flatMap((origin) => {
    const { protocol, host, hostname } = new URL(origin)
    const port = host.slice(hostname.length)
    const names = [
      ['a host that starts like', `${protocol}//${hostname}.evil.example${port}`],
      ['a host that ends like', `${protocol}//evil${host}`],
      ['a host with a letter for the dot of', `${protocol}//${host.replace('.', 'x')}`],
      ['the same host without TLS as', `http://${host}`],
    ] as const
    // Without a dot, or without TLS, two of them are the origin itself.
    return names.filter(([, one]) => one !== origin).map(([who, one]) => [`${who} ${origin}`, one] as const)
  })
  return [['another site', EVIL], ['a sandboxed frame', 'null'], ...near]
}

const preflight = (origin: string, method: string) => [
  ...['Origin', origin, 'Access-Control-Request-Method', method],
  ...['Access-Control-Request-Headers', 'authorization'],
]

/** A public reply (`*`) is fine: browsers send it no cookies. */
const shares =
  (origin: string) =>
  ({ headers }: Reply) =>
    text(headers['access-control-allow-origin']) === origin.toLowerCase() &&
    text(headers['access-control-allow-credentials']) === 'true'
      ? 'lets that site read replies with cookies'
      : undefined

function fromAllowed({ token, method, allowed, cookie }: Sharing & { readonly allowed: string }): Attempt[] {
  const withCookies = cookie !== undefined
  const source = 'Fetch §3.3'
  return [
    {
      name: `a request from the allowed origin ${allowed}`,
      source,
      sent: { headers: [...bearer(token), 'Origin', allowed] },
      judge: (reply) => misses(reply, allowed, withCookies),
    },
    {
      name: `a preflight from the allowed origin ${allowed}`,
      source,
      sent: { method: 'OPTIONS', headers: preflight(allowed, method) },
      judge: (reply) => missesPreflight(reply, method, withCookies) ?? misses(reply, allowed, withCookies),
    },
  ]
}

function misses({ headers }: Reply, allowed: string, withCookies: boolean): string | undefined {
  const origin = text(headers['access-control-allow-origin'])
  if (origin !== allowed && origin !== '*') return 'does not name that origin, so its pages cannot read the reply'
  if (withCookies && (origin === '*' || text(headers['access-control-allow-credentials']) !== 'true')) {
    return 'does not allow credentials, so its pages cannot send the cookie'
  }
  const varies = list(headers.vary)
  const isCacheable = origin !== '*' && !varies.includes('origin') && !varies.includes('*')
  return isCacheable
    ? 'has no "Vary: Origin" (RFC 9110 §12.5.5), so a cache may give the reply to another origin'
    : undefined
}

function missesPreflight(reply: Reply, method: string, withCookies: boolean): string | undefined {
  if (!isSuccess(reply)) return 'was refused; a browser sends a preflight without a token'
  const { headers } = reply
  // The wildcard does not cover this field.
  const hasField = list(headers['access-control-allow-headers']).includes('authorization')
  if (!withCookies && !hasField) return 'does not allow the field Authorization by its name'
  const methods = ['get', 'head', 'post', ...list(headers['access-control-allow-methods'])]
  const hasMethod = methods.includes(method.toLowerCase()) || (!withCookies && methods.includes('*'))
  return hasMethod ? undefined : `does not allow ${method}`
}
