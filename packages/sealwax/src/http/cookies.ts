import type { Context as HonoContext } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Config } from '../core/options.ts'
import { AuthError } from '../errors.ts'
import type { HttpEnv } from './env.ts'

/**
 * The refresh token in a cookie that scripts cannot read. Browsers send it with every request, so
 * the origin of the request must be checked before the cookie is used.
 */
export interface RefreshCookie {
  /** @param maxAge Seconds. `undefined`: until the browser closes. */
  set(c: HonoContext<HttpEnv>, token: string, maxAge: number | undefined): void
  clear(c: HonoContext<HttpEnv>): void
  /**
   * The token without a check of the origin: only to end the session that a new log-in replaces.
   */
  peek(c: HonoContext<HttpEnv>): string | undefined
  /**
   * The token, after a check of the origin; `undefined` without a cookie.
   *
   * @throws {AuthError} `csrf_failed`
   */
  read(c: HonoContext<HttpEnv>): string | undefined
  /**
   * Checks the origin of a request that may be authenticated by any cookie: one with cookies and
   * without an Authorization header, which no page of another origin can add.
   *
   * @throws {AuthError} `csrf_failed`
   */
  requireOurPage(c: HonoContext<HttpEnv>): void
}

/**
 * `__Host-` binds the cookie to this host and TLS (RFC 6265bis §4.1.3.2). Only loopback uses http.
 */
export function refreshCookieName({ issuer, cookieName }: Config): string {
  return isSecure(issuer) ? `__Host-${cookieName}` : cookieName
}

function isSecure(issuer: string): boolean {
  return new URL(issuer).protocol === 'https:'
}

export function refreshCookie(config: Config): RefreshCookie {
  const { issuer, allowedOrigins } = config
  const secure = isSecure(issuer)
  const name = refreshCookieName(config)
  const attributes = { httpOnly: true, secure, sameSite: 'Strict', path: '/' } as const
  const ours = new Set([new URL(issuer).origin, ...allowedOrigins])
  return {
    set: (c, token, maxAge) =>
      setCookie(
        c,
        name,
        token,
        maxAge === undefined ? attributes : { ...attributes, maxAge: Math.min(maxAge, MOST_AGE) },
      ),
    clear: (c) => void deleteCookie(c, name, attributes),
    peek: (c) => getCookie(c, name),
    read(c) {
      const token = getCookie(c, name)
      if (token !== undefined) requireOurPage(c, ours)
      return token
    },
    requireOurPage(c) {
      if (c.req.header('Cookie') !== undefined && c.req.header('Authorization') === undefined) requireOurPage(c, ours)
    },
  }
}

/** A cookie with the device token, so that a browser is recognised at the next log-in. */
export interface DeviceCookie {
  set(c: HonoContext<HttpEnv>, token: string): void
  peek(c: HonoContext<HttpEnv>): string | undefined
}

/** It lasts a year from the last log-in, also after a log-out. */
export function deviceCookie(config: Config): DeviceCookie {
  const name = `${refreshCookieName(config)}-device`
  const attributes = { httpOnly: true, secure: isSecure(config.issuer), sameSite: 'Strict', path: '/' } as const
  return {
    set: (c, token) => setCookie(c, name, token, { ...attributes, maxAge: DEVICE_AGE }),
    peek: (c) => getCookie(c, name),
  }
}

const DEVICE_AGE = 365 * 24 * 3600

/** The maximum of browsers (RFC 6265bis §5.6.2) and of Hono. */
const MOST_AGE = 400 * 24 * 3600

/** Fails closed: a request without `Sec-Fetch-Site` and `Origin` may come from any page. */
function requireOurPage(c: HonoContext<HttpEnv>, ours: ReadonlySet<string>): void {
  const site = c.req.header('Sec-Fetch-Site')
  const origin = c.req.header('Origin')
  if (site === 'same-origin') return
  if (origin !== undefined && ours.has(origin)) return
  throw new AuthError('csrf_failed', 'A request with a cookie must come from a page of an allowed origin')
}
