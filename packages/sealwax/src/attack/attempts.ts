import { forgedTokens, hostileHeaders } from '@sealwax/guard/testing'
import type { PublicJwk } from '@sealwax/jwt'
import { type Attempt, bearer, EVIL, isSuccess } from './attempt.ts'
import { crossOrigin } from './cross-origin.ts'
import type { Reply } from './target.ts'

/** What the attempts are made from. */
export interface Material {
  /** An access token that the route accepts. */
  readonly token: string
  /** The key that verifies it, if it is published. */
  readonly publicKey?: PublicJwk
  /** Tokens of the same log-in that are no access tokens: `refresh token`, `ID token`. */
  readonly others: Readonly<Record<string, string>>
  /** The cookie in which the route accepts the token. */
  readonly cookie?: string
  /** The method of the route, and its path and query. */
  readonly method: string
  readonly path: string
  /** The origin of the route, and one whose pages may send it requests. */
  readonly own: string
  readonly allowed?: string
  /** The reply to the valid token. */
  readonly good: Reply
}

/** Whether a reply shows what only a user with a token may see. */
const revealed = (good: Reply) => (reply: Reply) =>
  isSuccess(reply) && reply.body !== '' && reply.body === good.body ? 'shows what is guarded' : undefined

/** All attempts, in the order in which they are made. */
export function attemptsWith(material: Material): readonly Attempt[] {
  return [
    ...forgeries(material),
    ...misdirected(material),
    ...malformedHeaders(material),
    ...otherPlaces(material),
    ...cookies(material),
    ...crossOrigin(material),
    ...detours(material),
  ]
}

function forgeries({ token, publicKey }: Material): Attempt[] {
  return forgedTokens(token, publicKey).map(({ name, source, token: forged }) => ({
    name: `a forged token, ${name}`,
    source,
    sent: { headers: bearer(forged) },
  }))
}

function misdirected({ others }: Material): Attempt[] {
  return Object.entries(others).map(([kind, token]) => ({
    name: `the ${kind} in place of the access token`,
    source: 'RFC 8725 §3.12',
    sent: { headers: bearer(token) },
  }))
}

function malformedHeaders({ token }: Material): Attempt[] {
  const cases = hostileHeaders(token).map(({ name, source, headers }) => ({
    name,
    source,
    sent: { headers: Object.entries(headers).flat() },
  }))
  const twice = ['Authorization', 'Bearer x', ...bearer(token)]
  return [
    ...cases,
    { name: 'request: two Authorization fields, the second is valid', source: 'RFC 6750 §2', sent: { headers: twice } },
    {
      name: 'request: two Authorization fields, the first is valid',
      source: 'RFC 6750 §2',
      sent: { headers: [...bearer(token), 'Authorization', 'Bearer x'] },
    },
  ]
}

/** RFC 9700 §4.3.2: URLs end up in logs and in the Referer field. */
function otherPlaces({ token, path, cookie }: Material): Attempt[] {
  const query = ['access_token', 'token', 'auth_token', 'jwt'].map((name) => ({
    name: `the token in the URL, as ${name}`,
    source: 'RFC 9700 §4.3.2',
    sent: { path: `${path}${path.includes('?') ? '&' : '?'}${name}=${token}` },
  }))
  const form = {
    name: 'the token in a form',
    source: 'RFC 9700 §4.3.2',
    sent: {
      method: 'POST',
      headers: ['Content-Type', 'application/x-www-form-urlencoded'],
      body: `access_token=${token}`,
    },
  }
  const names = ['access_token', 'access_token_cookie', 'token', 'jwt'].filter((name) => name !== cookie)
  const jar = names.map((name) => ({
    name: `the token in the cookie ${name}, which nobody said is one`,
    source: 'RFC 6750 §5.3',
    sent: { headers: ['Cookie', `${name}=${token}`, 'Sec-Fetch-Site', 'cross-site', 'Origin', EVIL] },
  }))
  return [...query, form, ...jar]
}

/** A browser adds the cookie to the requests of other sites. */
function cookies({ token, cookie, good, method }: Material): Attempt[] {
  if (cookie === undefined) return []
  const own = ['Cookie', `${cookie}=${token}`] as const
  const unsafe = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'POST' : method
  const source = 'CWE-352'
  const sites: readonly [name: string, headers: readonly string[]][] = [
    ['another site', ['Origin', EVIL, 'Sec-Fetch-Site', 'cross-site']],
    ['another site, in an older browser', ['Origin', EVIL]],
    ['a sandboxed frame', ['Origin', 'null', 'Sec-Fetch-Site', 'cross-site']],
    ['a sister domain', ['Origin', EVIL, 'Sec-Fetch-Site', 'same-site']],
    ['nowhere', []],
  ]
  return [
    ...sites.map(([name, headers]) => ({
      name: `${unsafe} with the cookie from ${name}`,
      source,
      sent: { method: unsafe, headers: [...own, ...headers] },
    })),
    {
      name: 'a WebSocket handshake with the cookie from another site',
      source,
      sent: { method: 'GET', headers: [...own, 'Origin', EVIL, 'Connection', 'Upgrade', 'Upgrade', 'websocket'] },
      judge: (reply: Reply) => (reply.status === 101 ? 'was accepted' : revealed(good)(reply)),
    },
    { name: 'the cookie and the header at once', source: 'RFC 6750 §2', sent: { headers: [...own, ...bearer(token)] } },
    {
      name: 'two cookies of the name, the second is valid',
      source: 'RFC 6265 §8.6',
      sent: { headers: ['Cookie', `${cookie}=x; ${cookie}=${token}`, 'Sec-Fetch-Site', 'same-origin'] },
    },
  ]
}

/** Ways around a guard, without a token. */
function detours({ path, method, good }: Material): Attempt[] {
  const judge = revealed(good)
  const [bare = '/', query] = path.split('?')
  const rest = query === undefined ? '' : `?${query}`
  const last = bare.slice(bare.lastIndexOf('/') + 1)
  const paths = [
    `${bare}/`,
    `/${bare}`,
    `/.${bare}`,
    `${bare}/.`,
    `${bare}%20`,
    `${bare}%00`,
    `${bare};a=b`,
    `${bare}.json`,
    bare.toUpperCase(),
    `${bare.slice(0, bare.length - last.length)}%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
  ].filter((one) => one !== bare && !one.includes('%NaN'))
  const methods = ['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'].filter((one) => one !== method)
  const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']
  const claims = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-User', 'X-Remote-User', 'X-User-Id']
  return [
    ...paths.map((one) => ({
      name: `no token, the path ${one}`,
      source: 'CWE-425',
      sent: { path: `${one}${rest}` },
      judge,
    })),
    ...methods.map((one) => ({
      name: `no token, the method ${one}`,
      source: 'CWE-425',
      sent: { method: one },
      ...(one === 'OPTIONS' && { judge }),
    })),
    ...overrides.map((name) => ({
      name: `no token, OPTIONS with ${name}`,
      source: 'CWE-425',
      sent: { method: 'OPTIONS', headers: [name, method] },
      judge,
    })),
    ...claims.map((name) => ({
      name: `no token, ${name}`,
      source: 'CWE-290',
      sent: { headers: [name, path] },
    })),
  ]
}
