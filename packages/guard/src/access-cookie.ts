import { unsafeDecode } from '@sealwax/jwt'
import { mustBeCookieName } from './request/cookies.ts'
import { checkOptions, mustBe, mustBeBoolean, mustBeOneOf, type OptionRules } from './strict-options.ts'

/** Options of {@link accessCookie}. Scripts can never read the cookie. */
export interface AccessCookieOptions {
  /**
   * As in the option `cookie` of the guard. `__Host-…` needs `secure`, the path `/` and no domain.
   */
  readonly name: string
  /** The domain whose hosts get the cookie, such as `'example.com'`. Default: only this host. */
  readonly domain?: string
  /** The path under which the cookie is sent. Default `'/'`. */
  readonly path?: string
  /**
   * Whether the browser sends the cookie with requests that other sites cause. Default `'Strict'`;
   * `'None'` needs `secure`.
   */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** With `false`, the cookie is also sent over plain http, for development. Default `true`. */
  readonly secure?: boolean
}

/** Values of `Set-Cookie` for one cookie. */
export interface AccessCookie {
  /**
   * Stores a token until it expires.
   * @throws {TypeError} for a string that is not a token with `exp`
   */
  set(token: string): string
  /** Deletes the cookie. */
  clear(): string
}

const OPTIONS: OptionRules<AccessCookieOptions> = {
  example: "{ name: '__Host-access' }",
  required: ['name'],
  rules: {
    name: mustBeCookieName,
    domain: mustBe(
      "a host name such as 'example.com'",
      (value) => typeof value === 'string' && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(value),
    ),
    // RFC 6265 §4.1.1
    path: mustBe("a path such as '/'", (value) => typeof value === 'string' && /^\/[\x20-\x3a\x3c-\x7e]*$/.test(value)),
    sameSite: mustBeOneOf('Strict', 'Lax', 'None'),
    secure: mustBeBoolean(),
  },
}

/**
 * Creates the values of `Set-Cookie` (RFC 6265 §4.1) for the cookie that a guard reads:
 * `res.append('Set-Cookie', accessCookie({ name: '__Host-access' }).set(token))`. Deleting a cookie
 * needs the same options as setting it.
 * @throws {TypeError} for options that are not well-formed, or that browsers would ignore
 */
export function accessCookie(options: AccessCookieOptions): AccessCookie {
  checkOptions('accessCookie', options, OPTIONS)
  const { name, domain, path = '/', sameSite = 'Strict', secure = true } = options
  // RFC 6265bis §4.1.3 and §5.7: a browser would drop the cookie without a word.
  if (/^__(host|secure)-/i.test(name) && !secure) throw wrong(`secure must be true for ${name}`)
  if (/^__host-/i.test(name) && domain !== undefined) throw wrong(`domain must be left out for ${name}`)
  if (/^__host-/i.test(name) && path !== '/') throw wrong(`path must be '/' for ${name}`)
  if (sameSite === 'None' && !secure) throw wrong("secure must be true for sameSite: 'None'")
  const attributes = [
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    ...(secure ? ['Secure'] : []),
    'HttpOnly',
    `SameSite=${sameSite}`,
  ].join('; ')
  return {
    set: (token) => `${name}=${token}; Expires=${expiryOf(token).toUTCString()}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
  }
}

/** Whoever calls `set` has made the token or got it from its issuer. */
function expiryOf(token: string): Date {
  let exp: unknown
  try {
    exp = unsafeDecode(token).payload.exp
  } catch {
    // The error below does not show the token.
  }
  if (typeof exp !== 'number') throw wrong('token must be a token with exp')
  return new Date(exp * 1000)
}

const wrong = (message: string) => new TypeError(`accessCookie: ${message}`)
